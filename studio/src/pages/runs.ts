import { getRuns } from "../api/client";
import { h } from "../dom";
import { t } from "../messages/runs";
import type { Page, View } from "../page";

async function render(view: View): Promise<void> {
  view.root.append(h("h1", {}, t("title")));
  const runs = await getRuns(view.signal);
  view.root.append(h("p", {}, String(runs.length)));
}

const page: Page = { path: "/", title: () => t("title"), navigation: 1, render };
export default page;
