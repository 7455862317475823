/** All settings of a task by section, each with its help, found by a word of either. */

import type { Run, Setting, Upload, Value } from "../../api/types";
import { dropZone } from "../../components/dropzone";
import { optionField, type Field } from "../../components/form";
import { debounce, h, replace, uniqueId } from "../../dom";
import { t } from "../../messages/train";
import { session } from "../../session";

export class SettingsForm {
  readonly element: HTMLElement;
  private readonly fields: Field[];
  private readonly sections: { element: HTMLDetailsElement; summary: HTMLElement; name: string; members: { setting: Setting; field: Field }[] }[];

  constructor(settings: readonly Setting[], runs: readonly Run[], values: Readonly<Record<string, Value>>, signal: AbortSignal, changed: () => void) {
    const heard = (): void => {
      this.count();
      changed();
    };
    const members = settings.map((setting) => ({ setting, field: fieldOf(setting, runs, signal, heard) }));
    this.fields = members.map(({ field }) => field);
    const names = [...new Set(settings.map((setting) => setting.section))];
    this.sections = names.map((name) => sectionOf(name, members.filter(({ setting }) => setting.section === name)));
    const none = h("p", { class: "note", role: "status", hidden: true }, t("no_setting"));
    const search = h("input", { type: "search", placeholder: t("find_setting"), "aria-label": t("find_setting") });
    search.addEventListener("input", debounce(120, () => (none.hidden = this.filter(search.value))));
    this.element = h("div", { class: "settings-form" }, h("p", { class: "note" }, t("settings_note")), search, none, ...this.sections.map(({ element }) => element));
    this.write(values);
  }

  values(): Record<string, Value> {
    const found: Record<string, Value> = {};
    for (const field of this.fields) {
      const value = field.read();
      if (value !== undefined) found[field.key] = value;
    }
    return found;
  }

  write(values: Readonly<Record<string, Value>>): void {
    for (const field of this.fields) if (field.key in values) field.write(values[field.key]);
    this.count();
  }

  /** Mark what is wrong; sections with a problem open. Gives the messages that belong to no field here. */
  refuse(errors: readonly { key: string | null; message: string }[]): string[] {
    for (const field of this.fields) field.refuse(messageFor(field.key, errors));
    for (const { element, members } of this.sections) {
      if (members.some(({ field }) => messageFor(field.key, errors) !== null)) element.open = true;
    }
    return errors.filter(({ key }) => !this.fields.some((field) => field.key === lastPart(key))).map(({ message }) => message);
  }

  private count(): void {
    for (const { summary, name, members } of this.sections) {
      const changed = members.filter(({ field }) => field.read() !== undefined).length;
      replace(summary, h("span", { lang: "en" }, t("section", { name, n: members.length })), changed > 0 && h("span", { class: "badge" }, t("changed", { n: changed })));
    }
  }

  /** Show what matches; gives whether anything does. */
  private filter(text: string): boolean {
    const wanted = text.trim().toLowerCase();
    let any = false;
    for (const { element, members } of this.sections) {
      let found = 0;
      for (const { setting, field } of members) {
        const matches = `${setting.key} ${setting.help}`.toLowerCase().includes(wanted);
        field.element.hidden = !matches;
        found += Number(matches);
      }
      element.hidden = found === 0;
      if (wanted !== "") element.open = found > 0;
      any ||= found > 0;
    }
    return any;
  }
}

function lastPart(key: string | null): string | null {
  return key?.split(".").at(-1) ?? null;
}

function messageFor(key: string, errors: readonly { key: string | null; message: string }[]): string | null {
  return errors.find((error) => lastPart(error.key) === key)?.message ?? null;
}

function sectionOf(name: string, members: { setting: Setting; field: Field }[]): SettingsForm["sections"][number] {
  const summary = h("summary");
  const element = h("details", { class: "section" }, summary, h("div", { class: "fields" }, ...members.map(({ field }) => field.element)));
  return { element, summary, name, members };
}

function fieldOf(setting: Setting, runs: readonly Run[], signal: AbortSignal, changed: () => void): Field {
  if (setting.type === "upload") return uploadField(setting, signal, changed);
  if (setting.type === "run") return optionField(setting, changed, runs.map((run) => ({ value: run.id, label: run.name })));
  return optionField(setting, changed);
}

/** A setting that names files: they are sent here, and named by their ids. */
function uploadField(setting: Setting, signal: AbortSignal, changed: () => void): Field {
  let files: { id: string; name: string }[] = [];
  const id = uniqueId("files");
  const list = h("ul", { class: "files" });
  const problem = h("p", { class: "problem", hidden: true });
  const draw = (): void => {
    replace(
      list,
      ...files.map((file) => {
        const remove = (): void => set(files.filter((one) => one !== file));
        return h("li", {}, file.name, " ", h("button", { type: "button", class: "quiet", "aria-label": t("forget", { name: file.name }), on: { click: remove } }, "×"));
      }),
    );
  };
  const set = (next: { id: string; name: string }[]): void => {
    files = next;
    draw();
    changed();
  };
  const sent = (upload: Upload): void => set(setting.list ? [...files, upload] : [upload]);
  const zone = dropZone({ label: t("files_of", { key: setting.key }), limit: session().upload_limit, signal, several: setting.list }, sent);
  return {
    element: h("div", { class: "field", role: "group", "aria-labelledby": id }, h("span", { id, class: "label" }, h("code", {}, setting.key)), zone, list, h("p", { class: "note", lang: "en" }, setting.help), problem),
    key: setting.key,
    read: () => (files.length === 0 ? undefined : setting.list ? files.map((file) => file.id) : (files[0]?.id ?? undefined)),
    write: (value) => {
      files = value === undefined || value === null ? [] : [value].flat().map((one) => ({ id: String(one), name: String(one) }));
      draw();
    },
    refuse: (message) => {
      problem.hidden = message === null;
      problem.textContent = message ?? "";
    },
  };
}
