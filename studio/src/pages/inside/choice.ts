/** What is chosen on the page Inside: kept in the address, and told to all parts that show it. */

import type { Inside, Layer, Signal } from "../../api/inside";
import type { Query, View } from "../../page";
import type { Extent } from "../../charts/heatmap-view";

export interface Choice {
  layer: number;
  signal: string;
  unit: number;
  step: number;
}

/** What a newcomer wants to see first: the gate that keeps or wipes the memory, where the cell has one. */
const FIRST_SIGNALS = ["forget", "update", "candidate", "h"];

export class Choices {
  choice: Choice;
  private readonly listeners = new Set<(choice: Choice, before: Choice) => void>();

  constructor(
    readonly inside: Inside,
    private readonly view: View,
  ) {
    this.choice = read(inside, view.query);
  }

  get layer(): Layer {
    return layerOf(this.inside, this.choice.layer);
  }

  get signal(): Signal {
    return signalOf(this.layer, this.choice.signal);
  }

  /** What was read at the chosen step. */
  get word(): string {
    return this.layer.names[this.choice.step] ?? "";
  }

  listen(listener: (choice: Choice, before: Choice) => void): void {
    this.listeners.add(listener);
  }

  set(changes: Partial<Choice>): void {
    const before = this.choice;
    const wanted = { ...before, ...changes };
    const layer = layerOf(this.inside, wanted.layer);
    this.choice = {
      layer: wanted.layer,
      signal: signalOf(layer, wanted.signal).name,
      unit: clamp(wanted.unit, layer.units),
      step: clamp(wanted.step, layer.steps),
    };
    this.view.setQuery({ ...this.choice });
    for (const listener of this.listeners) listener(this.choice, before);
  }
}

function layerOf(inside: Inside, place: number): Layer {
  return (inside.layers[place] ?? inside.layers[0]) as Layer;
}

function signalOf(layer: Layer, name: string): Signal {
  return (layer.signals.find((signal) => signal.name === name) ?? firstSignal(layer)) as Signal;
}

function firstSignal(layer: Layer): Signal | undefined {
  const wanted = FIRST_SIGNALS.find((name) => layer.signals.some((signal) => signal.name === name));
  return layer.signals.find((signal) => signal.name === wanted) ?? layer.signals[0];
}

function clamp(value: number, size: number): number {
  return Math.min(size - 1, Math.max(0, Math.round(value) || 0));
}

/** Read a choice from an address; what is not there is the unit that tells most, and its highest step. */
function read(inside: Inside, query: Query): Choice {
  const [ownLayer = "0", ownUnit = "0"] = inside.unit.unit.split(".");
  const found = inside.layers.findIndex((layer) => layer.layer === Number(ownLayer));
  const place = query["layer"] === undefined ? Math.max(0, found) : clamp(Number(query["layer"]), inside.layers.length);
  const layer = layerOf(inside, place);
  const unit = query["unit"] ?? (place === found ? ownUnit : "0");
  const step = query["step"] ?? inside.unit.high[0]?.first ?? 0;
  return { layer: place, signal: signalOf(layer, query["signal"] ?? "").name, unit: clamp(Number(unit), layer.units), step: clamp(Number(step), layer.steps) };
}

/** A stretch in an address, "12-30"; null where there is none. */
export function readStretch(text: string | undefined, steps: number): Extent | null {
  const found = /^(\d+)-(\d+)$/.exec(text ?? "");
  const [from, to] = [Number(found?.[1]), Number(found?.[2])];
  return found && from < to && to <= steps ? { from, to } : null;
}
