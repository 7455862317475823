/** The calls of `studio/API.md` that look inside a run, and those that explain what it gives. */

import type { Matrix } from "../charts/matrix";
import type { Memory } from "../charts/memory";
import type { ProjectedPoint } from "../charts/projection";
import type { Part } from "../charts/shares";
import { getJson, postJson, request, runUrl } from "./client";
import type { Asked, Value } from "./types";

export interface Signal {
  name: string;
  kind: "state" | "gate";
  activation: "sigmoid" | "tanh" | "relu" | null;
}

export interface Layer {
  layer: number;
  title: string;
  name: string;
  direction: "forward" | "backward";
  cell: string;
  units: number;
  steps: number;
  /** What was read at each step. */
  names: string[];
  signals: Signal[];
}

export interface TellingUnit {
  layer: number;
  unit: number;
  state: string;
  feature: string;
  r: number;
  control: number;
  counts: boolean;
}

export interface Stretch {
  first: number;
  last: number;
  peak: number;
  before: string;
  text: string;
  after: string;
}

export interface UnitView {
  unit: string;
  steps: string[];
  states: Record<string, number[]>;
  gates: Record<string, number[]>;
  high: Stretch[];
}

export interface Saturation {
  gate: string;
  activation: string;
  open?: number;
  shut?: number;
  high?: number;
  low?: number;
}

export interface Inside {
  trace: string;
  inputs: number;
  starts: number[];
  layers: Layer[];
  saturation: { layer: number; gates: Saturation[] }[];
  still_units: string[];
  telling_units: TellingUnit[];
  unit: UnitView;
  left_out: { name: string; why: string }[];
  result: Record<string, unknown>;
}

export interface CellDrawing {
  svg: string;
  description: string;
  step: { label: string; gates: { name: string; value: number }[]; before: Record<string, number>; after: Record<string, number> };
  equations: string[];
}

export interface Match {
  units: number[];
  stretches: { from: number; to: number; units: number[]; share: number; before: string; text: string; after: string }[];
}

export interface Explanation {
  target: string;
  quantity: string;
  value: number;
  baseline_value: number;
  baseline: string;
  method: string;
  sum_error: number;
  segments: Part[];
  faithfulness: { count: number; top: number; random: number; spread: number } | null;
  memory?: Memory;
}

export interface ExplainRequest {
  options: Readonly<Record<string, Value>>;
  fast: boolean;
  memory: boolean;
}

const traceUrl = (run: string, trace: string, rest: string, query: Readonly<Record<string, string | number>> = {}): string =>
  runUrl(run, `/trace/${encodeURIComponent(trace)}${rest}`, query);

export const lookInside = (run: string, asked: Asked, signal?: AbortSignal): Promise<Inside> => postJson(runUrl(run, "/inside"), asked, signal);

/** The values of one signal of a layer, steps × units. */
export async function getSignal(run: string, trace: string, layer: number, name: string, signal?: AbortSignal): Promise<Matrix> {
  const url = traceUrl(run, trace, "", { layer, signal: name, dtype: "float32" });
  const response = await request(url, signal ? { signal } : {});
  const values = new Float32Array(await response.arrayBuffer());
  return { steps: Number(response.headers.get("X-Steps")), units: Number(response.headers.get("X-Units")), values };
}

export const getCell = (run: string, trace: string, layer: number, unit: number, step: number, signal?: AbortSignal): Promise<CellDrawing> =>
  getJson(traceUrl(run, trace, "/cell", { layer, unit, step }), signal);

export const getUnit = (run: string, trace: string, layer: number, unit: number, signal?: AbortSignal): Promise<UnitView> =>
  getJson(traceUrl(run, trace, "/unit", { layer, unit }), signal);

export const findPattern = (
  run: string,
  trace: string,
  body: { layer: number; signal: string; from: number; to: number; threshold: number },
  signal?: AbortSignal,
): Promise<Match> => postJson(traceUrl(run, trace, "/match"), body, signal);

/** The states of a layer on a plane; `lines` ends with "input 2, step 7 of 31", both from 1. */
export async function getProjection(run: string, trace: string, layer: number, signal?: AbortSignal): Promise<{ points: ProjectedPoint[]; note: string }> {
  const url = traceUrl(run, trace, "/projection", { layer });
  const found = await getJson<{ points: { x: number; y: number; lines: string[] }[]; note: string }>(url, signal);
  const points = found.points.map((point) => {
    const [, input = 1, step = 1, steps = 1] = (/input (\d+), step (\d+) of (\d+)/.exec(point.lines.at(-1) ?? "") ?? []).map(Number);
    return { ...point, input: input - 1, step: step - 1, position: steps > 1 ? (step - 1) / (steps - 1) : 1 };
  });
  return { points, note: found.note };
}

export const explain = (run: string, asked: Asked, how: ExplainRequest, signal?: AbortSignal): Promise<{ results: Explanation[] }> =>
  postJson(runUrl(run, "/explain"), { ...asked, ...how }, signal);
