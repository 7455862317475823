import { defineMessages } from "../i18n";

export const t = defineMessages({
  title: ["Runs", "模型"],
});
