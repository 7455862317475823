import "virtual:report-colours.css";
import "uplot/dist/uPlot.min.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/components.css";
import "./styles/pages.css";
import { errorBox } from "./components/error";
import { initLang } from "./i18n";
import { openSession } from "./session";
import { Shell } from "./shell";
import { applyTheme } from "./theme";

async function start(): Promise<void> {
  applyTheme();
  initLang(null);
  const app = document.getElementById("app") as HTMLElement;
  try {
    const session = await openSession();
    initLang(session.lang);
    new Shell(app, session).start();
  } catch (error) {
    app.replaceChildren(errorBox(error, () => void start()));
  }
}

void start();
