/** Names of layers, gates and states as the page says them. */

import type { Layer, Signal } from "../../api/inside";
import { t } from "../../messages/inside";
import { visible } from "../../charts/shares";

const GATES = ["forget", "input", "output", "candidate", "update", "reset"] as const;
type Gate = (typeof GATES)[number];

function isGate(name: string): name is Gate {
  return (GATES as readonly string[]).includes(name);
}

export function signalName(signal: Signal): string {
  if (signal.kind === "state") return t("stateName", { name: signal.name });
  if (signal.name === "candidate") return t("candidate");
  return t("gateName", { name: isGate(signal.name) ? t(signal.name) : signal.name });
}

/** One sentence on what it does, for someone who has read one tutorial; nothing of signals that no tutorial has. */
export function signalAbout(signal: Signal): string {
  if (isGate(signal.name)) return t(`${signal.name}About`);
  return signal.kind === "state" && (signal.name === "h" || signal.name === "c") ? t(`${signal.name}About`) : "";
}

/** The value between shut and open, or between low and high. */
export function middleOf(signal: Signal): number {
  return signal.activation === "sigmoid" ? 0.5 : 0;
}

/** A stretch of what was read; characters run together, words do not. */
export function textOf(layer: Layer, from: number, to: number): string {
  const names = layer.names.slice(from, to);
  const glue = names.some((name) => Array.from(name).length > 1 && !/^\s/.test(name)) ? " " : "";
  return visible(names.join(glue));
}
