/** What the server says, as `studio/API.md` has it. */

export interface Session {
  version: string;
  folder: string;
  lang: "en" | "zh" | null;
  tasks: string[];
  upload_limit: number;
  missing: string[];
}

export type OptionType = "flag" | "int" | "float" | "text" | "choice" | "upload" | "run" | "written";
export type Value = string | number | boolean | null | readonly (string | number)[];

/** An option of a verb, or a setting of a training: what a form asks for. */
export interface Option {
  key: string;
  help: string;
  type: OptionType;
  choices: string[] | null;
  default: Value;
}

export interface Setting extends Option {
  section: string;
  list: boolean;
  flag: string;
}

export interface Task {
  name: string;
  title: string;
  element: [one: string, many: string];
  input: InputKind;
  cli_examples: string[];
  settings: Setting[];
}

export interface Dataset {
  name: string;
  title: string;
  about: string;
  task: string;
  licence: string;
  bytes: number | null;
  here: boolean;
}

export type RunState = "running" | "done" | "interrupted" | "unfinished" | "diverged" | "failed";
export type Better = "lower" | "higher";
export type Metrics = Record<string, number | null>;

export interface Headline {
  metric: string;
  title: string;
  value: number;
  text: string;
  better: Better;
  data: string;
}

export interface Run {
  id: string;
  name: string;
  task: string;
  data: string;
  state: RunState;
  began: string | number | null;
  seconds: number | null;
  step: number | null;
  steps: number | null;
  parameters: number | null;
  cell: string | null;
  layers: number | null;
  headline: Headline | null;
  baseline: { name: string; title: string; value: number; text: string } | null;
  metrics: Metrics;
  baselines: Record<string, Metrics>;
  resumable: boolean;
  error?: string | null;
}

export type Capability =
  | "predict" | "generate" | "generate_pictures" | "score" | "embed" | "explain" | "inside" | "stream" | "steps" | "pictures"
  | "live_sound";
export type InputKind = "text" | "series" | "sound" | "picture" | "pen" | "table" | "json" | "none";

export interface ConfigEntry {
  section: string;
  key: string;
  value: unknown;
  default: unknown;
  help: string;
}

export interface RunDetails extends Run {
  config: ConfigEntry[];
  can: Record<Capability, boolean>;
  options: { predict: Option[]; generate: Option[]; explain: Option[] };
  input: { kind: InputKind; channels: string[] };
  labels: string[];
  titles: Record<string, MetricTitle>;
  baseline_titles: Record<string, string>;
  reason?: string | null;
  report: boolean;
  commands: { predict?: string; explain?: string; resume?: string };
}

/** What a metric is called and how it is written; logarithmic: bars show the logarithm. */
export interface MetricTitle {
  title: string;
  better: Better | null;
  percent: boolean;
  logarithmic: boolean;
  gloss: string;
}

export type Point = readonly [step: number, value: number | null];

export interface Series {
  name: string;
  key: string;
  part: "train" | "valid";
  better: Better | null;
  points: Point[];
}

export interface Sample {
  step: number;
  text: string;
}

export interface Curves {
  series: Series[];
  best: { step: number } | null;
  samples: Sample[];
  gradient: { step: number; norms: unknown }[];
}

export interface Progress {
  step: number;
  steps: number | null;
  seconds: number;
  left: number | null;
}

/** One input of a run: text as typed, numbers, pen strokes, a picture. */
export type Input =
  | string
  | readonly (number | null)[]
  | readonly (readonly (number | null)[])[]
  | { readonly csv: string }
  | { readonly strokes: readonly (readonly (readonly [number, number])[])[] }
  | { readonly pixels: readonly (readonly number[])[] | readonly (readonly (readonly number[])[])[] };

export type Asked = { inputs: readonly Input[] } | { upload: string };
export type Result = Record<string, unknown>;

export interface Prediction {
  results: Result[];
  notes: string[];
  pictures: { title: string; html: string }[];
}

export type GenerateEvent =
  | { type: "begin"; seed: number; prompts: string[] }
  | { type: "chunk"; sample: number; text: string; last: boolean }
  | { type: "found"; results: Result[] };

export interface Finding {
  name: string;
  severity: "severe" | "warning" | "hint" | "good";
  sentence: string;
  evidence: Record<string, number | null>;
  remedy: string | null;
}

export interface Column {
  name: string;
  type: "number" | "time" | "text" | "empty";
  examples: unknown[];
  missing: number;
}

export interface Upload {
  id: string;
  name: string;
  bytes: number;
  preview: {
    kind: "table" | "text" | "picture" | "sound" | "ink" | "series" | "archive" | "other";
    columns: Column[];
    rows: unknown[][];
    lines: string[];
    notes: string[];
    count: number | null;
    names: string[];
  };
  suggestions: { task: string; why: string; settings: Record<string, Value> }[];
}

export interface TrainRequest {
  task: string;
  data: { upload: string[] } | { dataset: string };
  settings: Record<string, Value>;
  name?: string;
  /** Read the data too, as the training would. */
  check?: boolean;
}

export interface Command {
  command: string;
  errors: { key: string | null; message: string }[];
  data?: { counts: Record<string, number>; notes: string[] } | null;
}
