/**
 * Looks at what each rule watches, and fires what is new. Which alert was fired before is the database's to say (a unique
 * row); what this process has seen there is remembered, so that nothing is asked twice.
 */
import type { AlertKind } from "../../core/alerts/alert-rule.ts";
import type { AlertRuleId, IdFactory } from "../../core/ids/ids.ts";
import type {
  AlertChannelRecord,
  AlertKey,
  AlertMuteRecord,
  AlertRecord,
  AlertRuleRecord,
} from "../../store/alert-records.ts";
import type { AlertBatch } from "../../store/alert-repositories.ts";
import type { Log } from "../../telemetry/log.ts";
import { findAlerts, type FindAlertsDeps } from "./find-alerts.ts";
import type { Finding } from "./finding.ts";

export interface EvaluatorDeps extends FindAlertsDeps {
  readonly ids: Pick<IdFactory, "create">;
  readonly log: Log;
}

/** Rules that every process looks at, because what they watch is known in it alone. */
export const LOCAL_KINDS: readonly AlertKind[] = ["provider_key_failing", "account_limit_near"];

/** New alerts of a rule at a time; the rest follows the next time, for it is not there yet. */
const MAX_NEW_ALERTS = 2_000;
/** More new ones of a rule are told in one message: thousands of customers can cross a threshold at once. */
const MAX_MESSAGES_A_RULE = 3;
const MAX_REMEMBERED = 100_000;

export class AlertEvaluator {
  readonly #deps: EvaluatorDeps;
  readonly #fired = new Set<string>();
  readonly #failing = new Set<AlertRuleId>();

  constructor(deps: EvaluatorDeps) {
    this.#deps = deps;
  }

  /** All enabled rules for which `isMeant`; returns how many alerts were fired. Rejects when rules cannot be read. */
  async evaluate(isMeant: (kind: AlertKind) => boolean): Promise<number> {
    const { alerts } = this.#deps.store;
    const rules = await alerts.rules.listAll();
    let fired = 0;
    for (const rule of rules) {
      if (!rule.isEnabled || !isMeant(rule.condition.kind)) continue;
      fired += await this.#evaluateRule(rule);
    }
    return fired;
  }

  /** A rule that cannot be looked at keeps no other one from it; it is said once. */
  async #evaluateRule(rule: AlertRuleRecord): Promise<number> {
    const { log } = this.#deps;
    try {
      const fired = await this.#fire(rule, await findAlerts(this.#deps, rule));
      if (this.#failing.delete(rule.id))
        log.info({ rule: rule.id }, "a rule can be looked at again");
      return fired;
    } catch (err) {
      if (!this.#failing.has(rule.id))
        log.error({ err, rule: rule.id }, "a rule cannot be looked at");
      this.#failing.add(rule.id);
      return 0;
    }
  }

  async #fire(rule: AlertRuleRecord, findings: readonly Finding[]): Promise<number> {
    const { store, log } = this.#deps;
    const fresh = await this.#withoutFired(rule, findings);
    if (fresh.length === 0) return 0;
    const atMs = this.#deps.nowMs();
    const [channels, mutes] = await Promise.all([
      store.alerts.channels.listAll(),
      store.alerts.mutes.listActive(atMs),
    ]);
    const alerts: AlertRecord[] = [];
    for (const finding of fresh.slice(0, MAX_NEW_ALERTS)) {
      alerts.push(await this.#createAlert(rule, finding, { mutes, atMs }));
    }
    const batches = this.#group(rule, alerts, { channels, atMs });
    const fired = new Set(await store.alerts.history.fire(batches));
    for (const { id, kind, severity, key, muteId } of alerts) {
      this.#remember(rule.id, key);
      if (!fired.has(id)) continue;
      const isMuted = muteId !== null;
      log.info(
        { alert: id, rule: rule.id, kind, severity, subject: key.kind, isMuted },
        "an alert fired",
      );
    }
    return fired.size;
  }

  async #withoutFired(
    rule: AlertRuleRecord,
    findings: readonly Finding[],
  ): Promise<readonly Finding[]> {
    const unknown = findings.filter(({ key }) => !this.#fired.has(nameOf(rule.id, key)));
    if (unknown.length === 0) return [];
    const { history } = this.#deps.store.alerts;
    const fired = await history.findFired(
      rule.id,
      unknown.map(({ key }) => key),
    );
    for (const key of fired) this.#remember(rule.id, key);
    return unknown.filter(({ key }) => !this.#fired.has(nameOf(rule.id, key)));
  }

  #remember(ruleId: AlertRuleId, key: AlertKey): void {
    if (this.#fired.size >= MAX_REMEMBERED) this.#fired.clear();
    this.#fired.add(nameOf(ruleId, key));
  }

  async #createAlert(
    rule: AlertRuleRecord,
    finding: Finding,
    { mutes, atMs }: { readonly mutes: readonly AlertMuteRecord[]; readonly atMs: number },
  ): Promise<AlertRecord> {
    const { severity, title, facts, command } = await finding.describe();
    const mute = mutes.find((one) => isMutedBy(one, rule.id, finding.key));
    return {
      id: this.#deps.ids.create("alt"),
      ruleId: rule.id,
      ruleName: rule.name,
      kind: rule.condition.kind,
      severity,
      key: finding.key,
      title,
      facts,
      command,
      messageId: this.#deps.ids.create("msg"),
      muteId: mute?.id ?? null,
      createdAtMs: atMs,
      acknowledgedAtMs: null,
      acknowledgedBy: null,
      note: null,
    };
  }

  /** What is told of together. What is muted is told to nobody. */
  #group(
    rule: AlertRuleRecord,
    alerts: readonly AlertRecord[],
    to: { readonly channels: readonly AlertChannelRecord[]; readonly atMs: number },
  ): readonly AlertBatch[] {
    const loud = alerts.filter(({ muteId }) => muteId === null);
    const muted = alerts.filter(({ muteId }) => muteId !== null);
    const channels = to.channels.filter(
      ({ id, isEnabled }) => isEnabled && (rule.channelIds?.includes(id) ?? true),
    );
    const groups = loud.length > MAX_MESSAGES_A_RULE ? [loud] : loud.map((alert) => [alert]);
    return [
      ...groups.map((group) => this.#batch(group, channels, to.atMs)),
      ...(muted.length === 0 ? [] : [this.#batch(muted, [], to.atMs)]),
    ];
  }

  #batch(
    alerts: readonly AlertRecord[],
    channels: readonly AlertChannelRecord[],
    atMs: number,
  ): AlertBatch {
    const messageId = alerts[0]?.messageId ?? this.#deps.ids.create("msg");
    return {
      messageId,
      alerts: alerts.map((alert) => ({ ...alert, messageId })),
      deliveries: channels.map(({ id: channelId }) => ({
        id: this.#deps.ids.create("adl"),
        messageId,
        channelId,
        createdAtMs: atMs,
        attempts: 0,
        nextAttemptAtMs: atMs,
        lastAttemptAtMs: null,
        problem: null,
        deliveredAtMs: null,
        givenUpAtMs: null,
      })),
    };
  }
}

function isMutedBy({ ruleId, subject }: AlertMuteRecord, id: AlertRuleId, key: AlertKey): boolean {
  if (ruleId !== null && ruleId !== id) return false;
  return subject === null || (subject.kind === key.kind && subject.id === key.id);
}

function nameOf(ruleId: AlertRuleId, { kind, id, period }: AlertKey): string {
  return JSON.stringify([ruleId, kind, id, period]);
}
