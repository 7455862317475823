/** What tasks and states are called: the server's title in English, ours in Chinese. */

import type { RunState } from "../api/types";
import { defineMessages, lang } from "../i18n";

const TITLES: Readonly<Record<string, readonly [en: string, zh: string]>> = {
  lm: ["Language model", "语言模型"],
  classify: ["Classifier", "分类器"],
  tag: ["Tagger", "序列标注"],
  embed: ["Embedder", "向量表示"],
  forecast: ["Forecaster", "时间序列预测"],
  detect: ["Anomaly detector", "异常检测"],
  translate: ["Translator", "翻译"],
  transcribe: ["Transcriber", "语音与手写识别"],
  caption: ["Captioner", "图像描述"],
  pixels: ["Picture model", "图像生成"],
};

/** A task's title; one that a plug-in brings has the server's, or its own name. */
export function taskTitle(name: string, title = name): string {
  return TITLES[name]?.[lang() === "zh" ? 1 : 0] ?? title;
}

export const stateName: (state: RunState) => string = defineMessages<Record<RunState, readonly [string, string]>>({
  running: ["running", "训练中"],
  done: ["done", "已完成"],
  interrupted: ["stopped", "已停止"],
  unfinished: ["unfinished", "未完成"],
  diverged: ["diverged", "已发散"],
  failed: ["failed", "失败"],
});
