/** From data to a training: what the file is, which task, how long, the settings, and the command line that does the same. */

import { getDatasets, getRuns, getTasks, train, writeCommand } from "../api/client";
import type { Dataset, Run, Task, TrainRequest, Value } from "../api/types";
import { commandLine } from "../components/command";
import { isAbort } from "../components/error";
import { runPath } from "../components/run";
import { toastError } from "../components/toast";
import { debounce, h, replace, uniqueId } from "../dom";
import { t } from "../messages/train";
import type { Page, View } from "../page";
import { go, href } from "../router";
import { SettingsForm } from "./train/settings";
import { keptUploads, sourceForm, type Source } from "./train/source";
import { taskForm, type Suggestion } from "./train/tasks";
import { timeField, USUAL_TIME } from "./train/time";

const WITHIN = "within";
const MILLISECONDS_OF_TYPING = 350;

async function render(view: View): Promise<void> {
  view.root.append(h("h1", {}, t("title")), h("p", { class: "note" }, t("lead")));
  const [tasks, datasets, runs] = await Promise.all([getTasks(view.signal), getDatasets(view.signal), getRuns(view.signal)]);
  new TrainPage(view, tasks, runs).start(datasets);
}

class TrainPage {
  private source: Source = null;
  private task: Task | null = null;
  private within = USUAL_TIME;
  private form: SettingsForm | null = null;
  private time: ReturnType<typeof timeField> | null = null;
  private readonly name = h("input", { type: "text", autocomplete: "off", spellcheck: "false" });
  private readonly taskPlace = h("section");
  private readonly settingsPlace = h("section");
  private readonly commandPlace = h("section", { class: "command-section" });
  private readonly written = h("div", { "aria-live": "polite" });
  private readonly startButton = h("button", { type: "button", class: "primary large" }, t("start"));
  private asked = new AbortController();

  constructor(
    private readonly view: View,
    private readonly tasks: readonly Task[],
    private readonly runs: readonly Run[],
  ) {
    this.name.value = view.query["name"] ?? "";
    this.within = view.query[WITHIN] ?? USUAL_TIME;
    this.name.addEventListener("input", () => this.changed());
    this.startButton.addEventListener("click", () => void this.begin());
  }

  start(datasets: readonly Dataset[]): void {
    const dataset = datasets.find((one) => one.name === this.view.query["dataset"]);
    const uploads = keptUploads();
    const source: Source = dataset !== undefined ? { dataset } : uploads.length > 0 ? { uploads } : null;
    const place = sourceForm(source, datasets, this.view.signal, (next) => this.choose(next));
    this.view.root.append(h("section", {}, h("h2", {}, t("data")), place), this.taskPlace, this.settingsPlace, this.commandPlace);
    this.choose(source, true);
  }

  private choose(source: Source, restored = false): void {
    this.source = source;
    this.view.setQuery({ dataset: source !== null && "dataset" in source ? source.dataset.name : null });
    const suggestions = this.suggestions();
    const wanted = (restored ? this.view.query["task"] : undefined) ?? suggestions[0]?.task ?? null;
    const known = this.tasks.some((task) => task.name === wanted) ? wanted : null;
    if (source === null) replace(this.taskPlace);
    else replace(this.taskPlace, h("h2", {}, t("task")), taskForm(this.tasks, suggestions, known, (task) => this.chooseTask(task)));
    this.chooseTask(source === null ? null : known, restored ? settingsFrom(this.view.query["settings"]) : undefined);
  }

  private suggestions(): Suggestion[] {
    if (this.source === null) return [];
    if ("dataset" in this.source) return [{ task: this.source.dataset.task, why: this.source.dataset.about, settings: {} }];
    return this.source.uploads[0]?.suggestions ?? [];
  }

  private chooseTask(name: string | null, settings?: Record<string, Value>): void {
    this.task = this.tasks.find((task) => task.name === name) ?? null;
    replace(this.settingsPlace);
    replace(this.commandPlace);
    this.form = null;
    if (this.task === null) return;
    const suggested = this.suggestions().find((one) => one.task === name)?.settings ?? {};
    const shown = this.task.settings.filter((setting) => setting.key !== WITHIN && setting.type !== "written");
    this.form = new SettingsForm(shown, this.runs, settings ?? suggested, this.view.signal, () => this.changed());
    this.time = timeField(this.within, (value) => {
      this.within = value;
      this.changed();
    });
    const id = uniqueId("name");
    this.name.id = id;
    this.name.setAttribute("aria-describedby", `${id}-help`);
    replace(
      this.settingsPlace,
      h("h2", {}, t("time")),
      this.time.element,
      h("div", { class: "field narrow" }, h("label", { for: id }, t("name")), this.name, h("p", { class: "note", id: `${id}-help` }, t("name_note"))),
      h("h2", {}, t("settings")),
      this.form.element,
    );
    replace(this.commandPlace, h("h2", {}, t("command")), this.written, h("div", { class: "actions" }, this.startButton));
    void this.write();
  }

  private request(): TrainRequest | null {
    if (this.source === null || this.task === null || this.form === null) return null;
    const data = "dataset" in this.source ? { dataset: this.source.dataset.name } : { upload: this.source.uploads.map((one) => one.id) };
    const settings = { ...this.form.values(), ...(this.within === "" ? {} : { [WITHIN]: this.within }) };
    const name = this.name.value.trim();
    return { task: this.task.name, data, settings, ...(name === "" ? {} : { name }) };
  }

  private readonly changed = debounce(MILLISECONDS_OF_TYPING, () => void this.write());

  /** Ask for the command line of what is chosen now, and mark what is wrong with it. */
  private async write(): Promise<boolean> {
    const request = this.request();
    if (request === null || this.form === null) return false;
    const settings = this.form.values();
    this.view.setQuery({
      task: request.task,
      settings: Object.keys(settings).length > 0 ? JSON.stringify(settings) : null,
      within: this.within === USUAL_TIME ? null : this.within,
      name: request.name ?? null,
    });
    this.asked.abort();
    this.asked = new AbortController();
    try {
      const { command, errors } = await writeCommand(request, this.asked.signal);
      const late = errors.find((error) => error.key?.endsWith(WITHIN));
      this.time?.refuse(late?.message ?? null);
      const others = this.form.refuse(errors.filter((error) => error !== late));
      replace(this.written, commandLine(command), errors.length > 0 && h("p", { class: "problem" }, t("mend_first")), ...others.map((message) => h("p", { class: "problem", lang: "en" }, message)));
      this.startButton.disabled = errors.length > 0;
      return errors.length === 0;
    } catch (error) {
      if (!isAbort(error)) toastError(error);
      return false;
    }
  }

  private async begin(): Promise<void> {
    const request = this.request();
    if (request === null) return;
    this.startButton.disabled = true;
    this.startButton.textContent = t("starting");
    try {
      const { run } = await train(request);
      go(href(runPath(run)));
    } catch (error) {
      toastError(error);
      this.startButton.disabled = false;
      this.startButton.textContent = t("start");
    }
  }
}

function settingsFrom(text: string | undefined): Record<string, Value> | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Record<string, Value>;
  } catch {
    return undefined;
  }
}

const page: Page = { path: "/train", title: () => t("title"), navigation: 2, render };
export default page;
