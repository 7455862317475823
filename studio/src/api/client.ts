/** The calls of `studio/API.md`, each with the type of what it gives. */

import type {
  Asked, Command, Curves, Dataset, Finding, Input, Prediction, Result, Run, RunDetails, Session, Task, TrainRequest, Upload, Value,
} from "./types";

/** What the server refused, in the sentence of the command line. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly kind: string,
    readonly key: string | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** The server could not be reached: it was stopped, most likely. */
export class ConnectionError extends Error {}

export function apiUrl(path: string, query: Readonly<Record<string, string | number>> = {}): string {
  const search = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)])).toString();
  return `./api/${path}${search ? `?${search}` : ""}`;
}

export function runUrl(id: string, rest = "", query: Readonly<Record<string, string | number>> = {}): string {
  return apiUrl(`runs/${encodeURIComponent(id)}${rest}`, query);
}

/** Fetch, with errors as the server words them. */
export async function request(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, credentials: "same-origin" });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ConnectionError();
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as { error: { message: string; kind: string; key?: string | null } };
    return new ApiError(error.message, response.status, error.kind, error.key ?? null);
  } catch {
    return new ApiError(`${response.status} ${response.statusText}`, response.status, "unknown");
  }
}

export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  return (await (await request(url, signal ? { signal } : {})).json()) as T;
}

export async function postJson<T>(url: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return (await (await request(url, jsonPost(body, signal))).json()) as T;
}

export function jsonPost(body: unknown, signal?: AbortSignal): RequestInit {
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return signal ? { ...init, signal } : init;
}

export const getSession = (): Promise<Session> => getJson(apiUrl("session"));
export const getTasks = (signal?: AbortSignal): Promise<Task[]> => getJson(apiUrl("tasks"), signal);
export const getDatasets = (signal?: AbortSignal): Promise<Dataset[]> => getJson(apiUrl("datasets"), signal);
export const getRuns = (signal?: AbortSignal): Promise<Run[]> => getJson(apiUrl("runs"), signal);
export const getRun = (id: string, signal?: AbortSignal): Promise<RunDetails> => getJson(runUrl(id), signal);
export const getCurves = (id: string, signal?: AbortSignal): Promise<Curves> => getJson(runUrl(id, "/curves"), signal);
export const getDiagnosis = (id: string, signal?: AbortSignal): Promise<Finding[]> => getJson(runUrl(id, "/diagnosis"), signal);
export const getExamples = (id: string, signal?: AbortSignal): Promise<{ examples: Input[] }> =>
  getJson(runUrl(id, "/examples"), signal);
export const getLog = (id: string, signal?: AbortSignal): Promise<{ lines: string[] }> => getJson(runUrl(id, "/log"), signal);

export const predict = (
  id: string,
  asked: Asked,
  options: Readonly<Record<string, Value>>,
  signal?: AbortSignal,
): Promise<Prediction> => postJson(runUrl(id, "/predict"), { ...asked, options }, signal);

export const score = (id: string, asked: Asked, signal?: AbortSignal): Promise<{ results: Result[] }> =>
  postJson(runUrl(id, "/score"), asked, signal);

export const writeCommand = (body: TrainRequest, signal?: AbortSignal): Promise<Command> =>
  postJson(apiUrl("command"), body, signal);
export const train = (body: TrainRequest): Promise<{ run: string; command: string }> => postJson(apiUrl("train"), body);
export const stopRun = (id: string): Promise<{ state: string }> => postJson(runUrl(id, "/stop"), {});
export const resumeRun = (id: string): Promise<{ run: string; command: string }> => postJson(runUrl(id, "/resume"), {});

/** Send a file; `progress` hears the share that has gone, 0 to 1. XMLHttpRequest: fetch does not say how far an upload is. */
export function upload(file: File, progress: (share: number) => void, signal?: AbortSignal): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", apiUrl("uploads", { name: file.name }));
    call.setRequestHeader("Content-Type", "application/octet-stream");
    call.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : 0);
    call.onerror = () => reject(new ConnectionError());
    call.onabort = () => reject(new DOMException("aborted", "AbortError"));
    call.onload = () => {
      if (call.status < 400) resolve(JSON.parse(call.responseText) as Upload);
      else void refusal(new Response(call.responseText, { status: call.status })).then(reject);
    };
    signal?.addEventListener("abort", () => call.abort());
    call.send(file);
  });
}
