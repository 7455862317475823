/** The frame of every page: its header with the navigation, the main landmark, its footer; it draws the page that the address names. */

import type { Session } from "./api/types";
import { errorBox, isAbort } from "./components/error";
import { h, replace } from "./dom";
import { chooseLang, lang } from "./i18n";
import { t } from "./messages/shell";
import type { Page, View } from "./page";
import { findPage, navigation } from "./pages";
import { href, parseAddress } from "./router";
import { chooseTheme, theme, type Theme } from "./theme";

export class Shell {
  private left = new AbortController();
  private readonly main = h("main", { id: "main", tabindex: -1 });
  private drawn = "";

  constructor(
    private readonly app: HTMLElement,
    private readonly session: Session,
  ) {}

  start(): void {
    addEventListener("hashchange", () => {
      if (location.hash !== this.drawn) this.draw(true);
    });
    this.frame();
    this.draw(false);
  }

  private frame(): void {
    const skip = (event: Event): void => {
      event.preventDefault();
      this.main.focus();
    };
    replace(
      this.app,
      h("a", { class: "skip", href: "#main", on: { click: skip } }, t("skip")),
      h(
        "header",
        { class: "top" },
        h("a", { class: "brand", href: href("/") }, logo(), h("span", {}, t("name"))),
        h("nav", { "aria-label": t("navigation") }, ...navigation.map((page) => h("a", { href: href(page.path) }, page.title()))),
        h("div", { class: "choices" }, this.languages(), this.themes()),
      ),
      this.main,
      h("footer", {}, h("p", {}, t("footer", { version: this.session.version }))),
    );
  }

  private languages(): HTMLElement {
    const other = lang() === "en" ? "zh" : "en";
    const change = (): void => {
      chooseLang(other);
      this.frame();
      this.draw(false);
      this.app.querySelector<HTMLElement>(".language")?.focus();
    };
    const name = other === "zh" ? "中文" : "English";
    return h("button", { type: "button", class: "quiet language", lang: other === "zh" ? "zh-Hans" : "en", on: { click: change } }, name);
  }

  private themes(): HTMLElement {
    const select = h("select", { "aria-label": t("theme"), class: "quiet" });
    for (const one of ["system", "light", "dark"] as const) {
      select.append(h("option", { value: one, selected: theme() === one }, t(`theme_${one}`)));
    }
    select.addEventListener("change", () => chooseTheme(select.value as Theme));
    return select;
  }

  /** Draw the page of the address; `moved`: by a link, so that the focus goes to its content, as it would on a new page. */
  private draw(moved: boolean): void {
    this.left.abort();
    this.left = new AbortController();
    this.drawn = location.hash;
    const address = parseAddress(location.hash);
    const found = findPage(address.path);
    const root = h("div", { class: "page" });
    this.main.replaceChildren(root);
    this.mark(found?.page.parent ?? found?.page.path ?? "");
    if (found === null) {
      this.setTitle(t("missing_page"));
      root.append(missing());
    } else {
      this.setTitle(found.page.title());
      void this.render(found.page, found.params, this.view(root, address.query));
    }
    if (moved) {
      scrollTo(0, 0);
      this.main.focus({ preventScroll: true });
    }
  }

  private async render(page: Page, params: Record<string, string>, view: View): Promise<void> {
    view.root.setAttribute("aria-busy", "true");
    try {
      await page.render(view, params);
    } catch (error) {
      if (view.signal.aborted || isAbort(error)) return;
      view.root.append(errorBox(error, view.refresh));
    } finally {
      view.root.removeAttribute("aria-busy");
    }
  }

  private view(root: HTMLElement, query: Record<string, string>): View {
    const { signal } = this.left;
    return {
      root,
      signal,
      query,
      setQuery: (changes) => {
        if (signal.aborted) return;
        const now = parseAddress(location.hash);
        const address = href(now.path, { ...now.query, ...changes });
        history.replaceState(null, "", address);
        this.drawn = location.hash;
      },
      setTitle: (title) => signal.aborted || this.setTitle(title),
      refresh: () => signal.aborted || this.draw(false),
    };
  }

  private setTitle(title: string): void {
    document.title = `${title} · ${t("name")}`;
  }

  private mark(path: string): void {
    for (const link of this.app.querySelectorAll("nav a")) {
      if (link.getAttribute("href") === href(path)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
}

function missing(): HTMLElement {
  return h("div", {}, h("h1", {}, t("missing_page")), h("p", {}, t("missing_page_text")), h("p", {}, h("a", { href: href("/") }, t("to_runs"))));
}

function logo(): HTMLElement {
  return h("img", { src: "./icon.svg", alt: "", width: 28, height: 28 });
}
