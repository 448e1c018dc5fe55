import type { ExposureRepositories, LeakRepository } from "../../exposure-repositories.ts";
import type { Connections } from "../sql-engine.ts";
import { SqlLeakRepository } from "./leak-repository.ts";

export class SqlExposureRepositories implements ExposureRepositories {
  readonly leaks: LeakRepository;

  constructor(connections: Connections) {
    this.leaks = new SqlLeakRepository(connections);
  }
}
