import type {
  AccessRepositories,
  InvitationRepository,
  LoginRepository,
  MemberRepository,
  PasswordResetRepository,
  SessionRepository,
} from "../../access-repositories.ts";
import type { Connections } from "../sql-engine.ts";
import { SqlInvitationRepository } from "./invitation-repository.ts";
import { SqlLoginRepository } from "./login-repository.ts";
import { SqlMemberRepository } from "./member-repository.ts";
import { SqlPasswordResetRepository } from "./password-reset-repository.ts";
import { SqlSessionRepository } from "./session-repository.ts";

export class SqlAccessRepositories implements AccessRepositories {
  readonly members: MemberRepository;
  readonly invitations: InvitationRepository;
  readonly passwordResets: PasswordResetRepository;
  readonly sessions: SessionRepository;
  readonly logins: LoginRepository;

  constructor(connections: Connections) {
    this.members = new SqlMemberRepository(connections);
    this.invitations = new SqlInvitationRepository(connections);
    this.passwordResets = new SqlPasswordResetRepository(connections);
    this.sessions = new SqlSessionRepository(connections);
    this.logins = new SqlLoginRepository(connections);
  }
}
