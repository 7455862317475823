import { h } from "../dom";
import { t } from "../messages/inside";
import type { Page, View } from "../page";
import "../styles/play.css";
import { InsidePage } from "./inside/page";
import { runHeading } from "./ask/heading";
import { openRun } from "./ask/open";

async function render(view: View, params: Record<string, string>): Promise<void> {
  const opened = await openRun(params["id"] ?? "", view.signal);
  const { run } = opened;
  view.setTitle(`${t("title")} · ${run.name}`);
  view.root.append(runHeading(t("title"), run));
  if (!run.can.inside) view.root.append(h("p", {}, t("cannot", { why: run.reason ?? t("noRecurrent") })));
  else await new InsidePage(opened, view).look(false);
}

const page: Page = { path: "/inside/:id", title: () => t("title"), parent: "/", opens: (run) => run.can.inside, render };
export default page;
