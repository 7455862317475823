import { defineMessages } from "../i18n";

export const t = defineMessages({
  name: ["Recurra studio", "Recurra 工作台"],
  skip: ["Skip to the content", "跳到正文"],
  navigation: ["Main", "主导航"],
  theme: ["Colours", "配色"],
  theme_system: ["System", "跟随系统"],
  theme_light: ["Light", "浅色"],
  theme_dark: ["Dark", "深色"],
  language: ["Language", "语言"],
  missing_page: ["There is no such page", "没有这个页面"],
  missing_page_text: ["The address may be from another version of the studio.", "这个地址可能来自其他版本的工作台。"],
  to_runs: ["All runs", "全部模型"],
  retry: ["Try again", "重试"],
  close: ["Close", "关闭"],
  failed: ["This did not work", "未能完成"],
  unreachable: [
    "The studio does not answer. It may have been stopped: start it again with `recurra studio`.",
    "工作台没有响应，可能已经停止：请用 `recurra studio` 重新启动。",
  ],
  loading: ["Loading …", "正在加载……"],
  cancel: ["Cancel", "取消"],
  copy: ["Copy", "复制"],
  copied: ["Copied", "已复制"],
  footer: ["Recurra {version}. Everything on this page stays on this computer.", "Recurra {version}。本页的一切都留在这台电脑上。"],
  show_table: ["Numbers as a table", "以表格查看数字"],
  step: ["step", "步"],
});
