/** What the parts say with which an input is handed over: typed, drawn, spoken or dropped. */

import { defineMessages } from "../i18n";

export const t = defineMessages({
  text: ["Text", "文本"],
  numbers: ["Numbers: one a step, or a line for each step", "数字：每步一个，或每步一行"],
  examples: ["Examples", "示例"],
  exampleName: ["Example {n}", "示例 {n}"],
  file: ["From a file", "从文件读取"],
  using: ["Reading {name}", "正在读取 {name}"],
  record: ["Record", "录音"],
  stop: ["Stop", "停止"],
  recording: ["Recording: {n} s", "录音中：{n} 秒"],
  noMicrophone: ["The microphone cannot be used here: {why}", "无法使用麦克风：{why}"],
  drawHere: ["Draw here with the pointer; with keys: arrows move the pen, the space bar puts it down and lifts it.", "用指针在此书写；用键盘：方向键移动笔，空格键落笔或抬笔。"],
  pad: ["Drawing area", "书写区"],
  clear: ["Clear", "清除"],
  undo: ["Undo", "撤销"],
  penDown: ["pen down", "落笔"],
  penUp: ["pen up", "抬笔"],
  sentence: ["it was not a good film , but i liked it", "房间不算大，但是很干净，我很喜欢"],
  none: ["Nothing to read yet: type, choose a file or take an example.", "还没有输入：请输入、选择文件或使用示例。"],
  notNumbers: ["Expected numbers, with blanks, commas or lines between them; “{part}” is none.", "应为数字，以空格、逗号或换行分隔；“{part}”不是数字。"],
});
