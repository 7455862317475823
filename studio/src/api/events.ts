/** Server-Sent Events: of a training that runs (GET), and of generation (POST, which EventSource cannot). */

import { ApiError, jsonPost, request, runUrl } from "./client";
import type { GenerateEvent, Progress, Result } from "./types";

export interface Listeners {
  line: (event: Record<string, unknown>) => void;
  progress: (progress: Progress) => void;
  end: () => void;
  /** The stream broke; the browser tries again by itself. */
  broken: () => void;
}

/** Follow a training from a line of its record on, until it ends or the signal does. */
export function followRun(id: string, after: number, listeners: Listeners, signal: AbortSignal): void {
  const source = new EventSource(runUrl(id, "/events", { after }));
  source.onmessage = (event) => listeners.line(JSON.parse(event.data as string) as Record<string, unknown>);
  source.addEventListener("progress", (event) => listeners.progress(JSON.parse(event.data as string) as Progress));
  source.addEventListener("end", () => {
    source.close();
    listeners.end();
  });
  source.onerror = () => listeners.broken();
  signal.addEventListener("abort", () => source.close());
}

/** Generate, and hand on what comes as it comes. */
export async function generate(
  id: string,
  body: unknown,
  heard: (event: GenerateEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  for await (const [name, data] of events(await request(runUrl(id, "/generate"), jsonPost(body, signal)))) {
    if (name === "end") return;
    if (name === "error") {
      const { error } = data as { error: { message: string; kind: string; key?: string } };
      throw new ApiError(error.message, 200, error.kind, error.key ?? null);
    }
    if (name === "begin") heard({ type: "begin", ...(data as { seed: number; prompts: string[] }) });
    else if (name === "found") heard({ type: "found", ...(data as { results: Result[] }) });
    else heard({ type: "chunk", ...(data as { sample: number; text: string; last: boolean }) });
  }
}

/** Read the events of a body: each its name and what its data is in JSON. */
export async function* events(response: Response): AsyncGenerator<[name: string, data: unknown]> {
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream() as never).getReader();
  let kept = "";
  for (;;) {
    const { value, done } = (await reader.read()) as { value?: string; done: boolean };
    if (done) return;
    kept = (kept + (value ?? "")).replaceAll("\r\n", "\n");
    const blocks = kept.split("\n\n");
    kept = blocks.pop() ?? "";
    for (const block of blocks) {
      const lines = block.split("\n");
      const name = lines.find((line) => line.startsWith("event:"))?.slice(6).trim() ?? "message";
      const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, "")).join("\n");
      if (data !== "" || name !== "message") yield [name, data === "" ? null : JSON.parse(data)];
    }
  }
}
