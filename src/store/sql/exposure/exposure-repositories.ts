import type {
  ClientTokenRevocationRepository,
  ExposureRepositories,
  LeakRepository,
} from "../../exposure-repositories.ts";
import type { Connections } from "../sql-engine.ts";
import { SqlClientTokenRevocationRepository } from "./client-token-revocation-repository.ts";
import { SqlLeakRepository } from "./leak-repository.ts";

export class SqlExposureRepositories implements ExposureRepositories {
  readonly leaks: LeakRepository;
  readonly clientTokens: ClientTokenRevocationRepository;

  constructor(connections: Connections) {
    this.leaks = new SqlLeakRepository(connections);
    this.clientTokens = new SqlClientTokenRevocationRepository(connections);
  }
}
