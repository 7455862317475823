/** What a page is. Each file in `pages/` exports one as its default, and is found there: see `pages.ts`. */

import type { RunDetails } from "./api/types";

export type Params = Readonly<Record<string, string>>;
export type Query = Readonly<Record<string, string>>;

export interface Page {
  /** The address that it answers to: "/runs/:id". */
  path: string;
  /** Its name in the language chosen: of the window, and in the navigation. */
  title: () => string;
  /** Its place in the navigation; left out for pages that others link to. */
  navigation?: number;
  /** The path in the navigation that this page belongs to. */
  parent?: string;
  /** Of a page about one run ("/play/:id"): whether it can be opened for this one. The run's own page links to it. */
  opens?: (run: RunDetails) => boolean;
  /** Draw it. What it throws is shown in its place, with a button to try again. */
  render: (view: View, params: Params) => void | Promise<void>;
}

/** What a page draws into, and what it knows of its address. */
export interface View {
  /** Empty at first. */
  root: HTMLElement;
  /** Ends when the page is left: give it to fetches, listeners, charts and event streams. */
  signal: AbortSignal;
  query: Query;
  /** Keep a choice in the address without drawing anew: `setQuery({ tab: "curves", unit: null })`. null leaves it out. */
  setQuery: (changes: Readonly<Record<string, string | number | null>>) => void;
  /** Name the window more closely, as by the run's name. */
  setTitle: (title: string) => void;
  /** Draw the page again from its address. */
  refresh: () => void;
}
