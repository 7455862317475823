/** A history as it was handed over, numbers or a table, so that a page can draw it, change a value and hand it over again. */

import type { Asked, Input, Result, RunDetails } from "../../api/types";
import { parseNumbers } from "./parse";

/** One channel of one series: its values, when they were, and how one is changed. */
export interface Channel {
  values: (number | null)[];
  times: string[];
  write(values: readonly (number | null)[]): void;
}

export interface History {
  asked(): Asked;
  /** What a result is about; a channel without values where the history does not have it. */
  channel(result: Result): Channel;
}

/** Read what was asked; null of a file, which the page has not read. */
export function readHistory(run: RunDetails, asked: Asked | null): History | null {
  if (asked === null || !("inputs" in asked)) return null;
  const [input] = asked.inputs;
  if (typeof input === "object" && "csv" in input) return tableHistory(run, input.csv);
  const numbers = typeof input === "string" ? parseNumbers(input) : input;
  return Array.isArray(numbers) ? numbersHistory(run, numbers as (number | null)[] | (number | null)[][]) : null;
}

function numbersHistory(run: RunDetails, given: (number | null)[] | (number | null)[][]): History {
  const rows = given.map((row) => (Array.isArray(row) ? [...row] : [row]));
  const isPlain = !given.some(Array.isArray);
  return {
    asked: () => ({ inputs: [(isPlain ? rows.map(([value]) => value) : rows) as Input] }),
    channel: (result) => {
      const place = Math.max(0, run.input.channels.indexOf(String(result["target"] ?? result["channel"] ?? "")));
      return {
        values: rows.map((row) => row[place] ?? null),
        times: rows.map((_, step) => String(step + 1)),
        write: (values) => rows.forEach((row, step) => (row[place] = values[step] ?? null)),
      };
    },
  };
}

function tableHistory(run: RunDetails, csv: string): History {
  const separator = [";", "\t", ","].find((one) => csv.split("\n", 1)[0]?.includes(one)) ?? ",";
  const [header = [], ...rows] = csv.split(/\r?\n/).filter((line) => line !== "").map((line) => line.split(separator));
  const time = header.indexOf(String(run.config.find(({ key }) => key === "time")?.value ?? ""));
  const write = (): string => [header, ...rows].map((row) => row.join(separator)).join("\n");
  return {
    asked: () => ({ inputs: [{ csv: write() }] }),
    channel: (result) => {
      const name = String(result["target"] ?? result["channel"] ?? run.input.channels[0] ?? "");
      const found = header.indexOf(name);
      const place = found < 0 ? header.length - 1 : found;
      const owner = header.findIndex((_, column) => column !== place && rows.some((row) => row[column] === result["series"]));
      const own = owner < 0 ? rows : rows.filter((row) => row[owner] === result["series"]);
      const number = (cell: string | undefined): number | null => (cell === undefined || cell === "" || !Number.isFinite(Number(cell)) ? null : Number(cell));
      return {
        values: own.map((row) => number(row[place])),
        times: own.map((row, step) => row[time] ?? String(step + 1)),
        write: (values) => own.forEach((row, step) => (row[place] = String(values[step] ?? ""))),
      };
    },
  };
}
