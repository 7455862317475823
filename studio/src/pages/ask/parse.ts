/** Inputs as they are typed and as a link keeps them. */

import type { Input } from "../../api/types";
import { t } from "../../messages/ask";

const MOST_IN_LINK = 6000;

/** Numbers as typed: a line of them is one channel over the steps, several lines are a step each. "nan" is a missing value. */
export function parseNumbers(text: string): (number | null)[] | (number | null)[][] {
  const lines = text.split(/\n/).map((line) => line.trim()).filter((line) => line !== "");
  const rows = lines.map((line) => line.split(/[\s,;]+/).filter((part) => part !== "").map(toNumber));
  if (rows.length === 1) return rows[0] ?? [];
  return rows.every((row) => row.length === 1) ? rows.flat() : rows;
}

function toNumber(part: string): number | null {
  if (part.toLowerCase() === "nan") return null;
  const value = Number(part);
  if (Number.isNaN(value)) throw new Error(t("notNumbers", { part }));
  return value;
}

/** A series as it is typed: one channel in a line, several a step a line. */
export function writeNumbers(series: readonly (number | null)[] | readonly (readonly (number | null)[])[]): string {
  return series.some(Array.isArray) ? (series as readonly (readonly number[])[]).map((row) => row.map(shown).join(" ")).join("\n") : (series as readonly (number | null)[]).map(shown).join(" ");
}

function shown(value: number | null): string {
  return value === null ? "nan" : String(value);
}

/** What stands in a link; null where it would be too long for one. */
export function writeInput(input: Input | null): string | null {
  if (input === null) return null;
  const text = typeof input === "string" ? input : JSON.stringify(input);
  return text.length <= MOST_IN_LINK ? text : null;
}

export function readInput(text: string | undefined, kind: string): Input | null {
  if (text === undefined) return null;
  if (kind === "text" || kind === "table") return text;
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null ? (found as Input) : text;
  } catch {
    return text;
  }
}

export function preview(input: Input, most = 60): string {
  const text = typeof input === "string" ? input : "csv" in input ? input.csv : "pixels" in input || "strokes" in input ? "" : writeNumbers(input as number[]);
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}
