/** What the charts of Play and Inside say. */

import { defineMessages } from "../i18n";

export const t = defineMessages({
  everyRow: ["Every row in {n} is shown.", "每 {n} 行显示一行。"],
  arrowKeys: ["Arrow keys move along it.", "用方向键移动。"],
  zoomIn: ["Closer", "放大"],
  zoomOut: ["Farther", "缩小"],
  whole: ["Whole", "全部"],
  earlier: ["Earlier steps", "更早的步"],
  later: ["Later steps", "更晚的步"],
  heatmapKeys: [
    "Wheel or + and − zoom, 0 shows all; drag, or Shift and arrow keys, choose a stretch; click or Enter takes the unit.",
    "滚轮或 + 和 − 缩放，0 显示全部；拖动或按 Shift 加方向键选取一段；点击或回车选中该单元。",
  ],
  heatmapLabel: ["Heat map of {signal}, {title}: {units} units by {steps} steps", "{title}的{signal}热图：{units} 个单元 × {steps} 步"],
  heatmapReading: ["unit {unit}, step {step} “{word}”: {value}", "单元 {unit}，第 {step} 步“{word}”：{value}"],
  heatmapSummary: [
    "Blue is below {middle}, orange above. Highest: {high} (unit {highUnit}, step {highStep} “{highWord}”). Lowest: {low} (unit {lowUnit}, step {lowStep} “{lowWord}”).",
    "蓝色低于 {middle}，橙色高于它。最高：{high}（单元 {highUnit}，第 {highStep} 步“{highWord}”）。最低：{low}（单元 {lowUnit}，第 {lowStep} 步“{lowWord}”）。",
  ],
  step: ["step", "步"],
  stepsBack: ["steps back", "向前步数"],
  part: ["part", "部分"],
  share: ["share", "份额"],
  error: ["standard error", "标准误差"],
  probability: ["probability", "概率"],
  addUnit: ["add {unit}, {share}", "加上 {unit}，{share}"],
  time: ["time", "时间"],
  history: ["history", "历史"],
  mean: ["forecast", "预测"],
  interval: ["{level} interval", "{level} 区间"],
  dragPoint: ["Drag a point of the history, or choose one with the left and right arrow keys and move it with up and down.", "拖动历史上的点，或用左右方向键选点、上下方向键移动它。"],
  pointReading: ["{time}: {value}", "{time}：{value}"],
  position: ["position in the sequence", "在序列中的位置"],
  input: ["input", "输入"],
  attentionOf: ["What “{word}” looked at: {found}", "“{word}”关注的是：{found}"],
  weight: ["weight", "权重"],
  points: ["points", "点"],
});
