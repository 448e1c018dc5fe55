import { expectData } from "../../admin/client.ts";
import { formatUnitOf, UNITS_OF_CLASSES } from "../../core/pricing/published-units.ts";
import { TOKEN_CLASSES, type TokenClass } from "../../core/usage/quantities.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand, type OptionSpec } from "../command.ts";
import { formatOptional, formatOptionalTime, formatTime } from "../format-cells.ts";
import { formatClass } from "../format-quantities.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseWhen } from "../parse-when.ts";

type UnitField = (typeof UNITS_OF_CLASSES)[keyof typeof UNITS_OF_CLASSES]["field"];
type PriceOptions<Name extends string> = Readonly<
  Record<Name, { readonly value: "usd"; readonly description: string; readonly param: string }>
>;

/** `--cached-input <usd>` and so on: one for each class that is counted in tokens. */
const TOKEN_OPTIONS = optionsOf<TokenClass>(
  TOKEN_CLASSES.map((name) => [
    name,
    `USD for a million tokens of ${formatClass(name)}`,
    `usdPerMillionTokens.${name}`,
  ]),
);
const UNIT_FIELDS = Object.values(UNITS_OF_CLASSES);
const UNIT_OPTIONS = optionsOf<UnitField>(
  UNIT_FIELDS.map((unit) => [
    unit.field,
    `USD for ${formatUnitOf(unit)}`,
    `usdPerUnit.${unit.field}`,
  ]),
);

export const override = defineCommand({
  summary: "set a price, or a discount, in place of a listed one",
  details:
    "Holds for calls that begin while it is valid, in every process within a second. A price is the whole row: what is left out has no price. Calls that were made before keep their cost; `keyward prices reprice` corrects them.",
  examples: [
    "keyward prices override --provider openai --model gpt-4o-mini --input 0.10 --output 0.40",
    "keyward prices override --provider openai --model '*' --discount 10 --note 'contract 2026-114'",
    "keyward prices override --provider openai-compatible --model 'llama-3*' --input 0 --output 0",
    "keyward prices override --provider openai --model gpt-4o --tier batch --input 1 --output 4 --from 2026-12-01 --until 2027-01-01",
  ],
  reach: "admin",
  printsData: true,
  options: {
    provider: { value: "name", description: "whose price it is", isRequired: true },
    model: {
      value: "model",
      description: "a model, or the beginning of names with * at the end",
      isRequired: true,
    },
    ...TOKEN_OPTIONS,
    ...UNIT_OPTIONS,
    discount: {
      value: "percent",
      description: "off the listed price, in place of prices",
      param: "discountPercent",
    },
    tier: { value: "name", description: "service tier, else the standard one" },
    variant: { value: "name", description: "what else the price depends on: hd/1024x1792" },
    from: { value: "when", description: "from when it holds, else from now", param: "validFrom" },
    until: {
      value: "when",
      description: "until when, else until further notice",
      param: "validUntil",
    },
    note: { value: "text", description: "where the price comes from" },
  },
  async run({ admin, io, options, output }) {
    const { provider, model, tier, variant, note, discount: discountPercent } = options;
    const when = (text: string | undefined, flag: string) =>
      text && parseWhen(text, { nowMs: io.nowMs(), flag, direction: "ahead" });
    const usdPerMillionTokens = given(pick(options, TOKEN_CLASSES));
    const usdPerUnit = given(
      pick(
        options,
        UNIT_FIELDS.map(({ field }) => field),
      ),
    );
    const hasPrice = Object.keys({ ...usdPerMillionTokens, ...usdPerUnit }).length > 0;
    if (!hasPrice && discountPercent === undefined) {
      throw new CliError("an override is a price or a discount, and neither is given", {
        isUsage: true,
        advice: "--input 0.10 --output 0.40, say, or --discount 10",
      });
    }
    const body = {
      provider,
      model,
      ...given({ tier, variant, note, discountPercent }),
      ...given({
        validFrom: when(options.from, "--from"),
        validUntil: when(options.until, "--until"),
      }),
      ...(Object.keys(usdPerMillionTokens).length > 0 && { usdPerMillionTokens }),
      ...(Object.keys(usdPerUnit).length > 0 && { usdPerUnit }),
    };
    const client = await admin();
    const created = expectData(await client.POST("/price-overrides", { body }));
    await output.data(created, () => {
      const until = created.validUntil === null ? "" : ` until ${formatTime(created.validUntil)}`;
      output.line(
        `${created.provider} ${nameOf(created)}, ${created.tier ?? "every"} tier: ${pricesOf(created)} from ${formatTime(created.validFrom)}${until} (${created.id})`,
      );
    });
  },
});

export const overrides = defineCommand({
  summary: "list price overrides, newest first",
  details: "Those that have ended among them: nothing of an override is ever deleted.",
  examples: ["keyward prices overrides", "keyward prices overrides --provider openai --json"],
  reach: "admin",
  printsData: true,
  options: {
    provider: { value: "name", description: "only this provider's" },
    ...PAGE_OPTIONS,
  },
  run: (context) =>
    printPage(context, {
      what: "price overrides",
      fetch(client, page) {
        const query = { ...page, ...given({ provider: context.options.provider }) };
        return client.GET("/price-overrides", { params: { query } });
      },
      columns: [
        { title: "provider", value: (row) => row.provider },
        {
          title: "model",
          value: nameOf,
        },
        { title: "tier", value: (row) => row.tier ?? "every" },
        { title: "price", value: (row) => pricesOf(row) },
        { title: "from", value: (row) => formatTime(row.validFrom) },
        { title: "until", value: (row) => formatOptionalTime(row.validUntil) },
        { title: "by", value: (row) => row.createdBy },
        { title: "note", value: (row) => formatOptional(row.note) },
        { title: "id", value: (row) => row.id },
      ],
    }),
});

export const end = defineCommand({
  summary: "bring the end of a price override forward",
  details:
    "An override is never altered: end it and add another. Ended at its beginning it never holds.",
  examples: [
    "keyward prices end pov_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
    "keyward prices end pov_01JZ6Y4V2S8W3N5R7T9X0B1C2D --at 2026-12-31T00:00:00Z",
  ],
  reach: "admin",
  printsData: true,
  arguments: { id: { description: "the override's id" } },
  options: { at: { value: "when", description: "until when it holds, else now" } },
  async run({ admin, arguments: { id }, io, options, output }) {
    const at =
      options.at && parseWhen(options.at, { nowMs: io.nowMs(), flag: "--at", direction: "ahead" });
    const client = await admin();
    const ended = expectData(
      await client.POST("/price-overrides/{id}/end", {
        params: { path: { id } },
        body: given({ at }),
      }),
    );
    await output.data(ended, () => {
      const holds = `holds until ${formatOptionalTime(ended.validUntil)}`;
      output.line(`the override of ${ended.provider} ${ended.model} ${holds} (${ended.id})`);
    });
  },
});

interface OverridePrices {
  readonly discountPercent: string | null;
  readonly usdPerMillionTokens: Readonly<Partial<Record<string, string>>> | null;
  readonly usdPerUnit: Readonly<Partial<Record<string, string>>> | null;
}

/** `-10 %`, or `input 0.1, output 0.4, $0.03 per image` */
function pricesOf({ discountPercent, usdPerMillionTokens, usdPerUnit }: OverridePrices): string {
  if (discountPercent !== null) return `-${discountPercent} %`;
  const tokens = Object.entries(usdPerMillionTokens ?? {}).map(
    ([name, usd]) => `${formatClass(name)} ${usd}`,
  );
  const units = UNIT_FIELDS.flatMap(({ field, name }) => {
    const usd = usdPerUnit?.[field];
    return usd === undefined ? [] : [`$${usd} per ${name}`];
  });
  return [...tokens, ...units].join(", ");
}

function nameOf(row: { readonly model: string; readonly variant: string | null }): string {
  return row.variant === null ? row.model : `${row.model} (${row.variant})`;
}

function optionsOf<Name extends string>(
  entries: readonly (readonly [name: Name, description: string, param: string])[],
): PriceOptions<Name> {
  const specs = entries.map(([name, description, param]) => [
    name,
    { value: "usd", description, param } satisfies OptionSpec,
  ]);
  return Object.fromEntries(specs) as PriceOptions<Name>;
}

function pick<Name extends string>(
  options: Readonly<Record<Name, string | undefined>>,
  names: readonly Name[],
): Record<Name, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, options[name]])) as Record<
    Name,
    string | undefined
  >;
}
