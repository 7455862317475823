import { defineMessages } from "../i18n";

export const t = defineMessages({
  default: ["default: {value}", "默认：{value}"],
  by_itself: ["chosen by itself", "自动选择"],
  none: ["none", "无"],
  true: ["yes", "是"],
  false: ["no", "否"],
  choose_file: ["Choose a file", "选择文件"],
  drop_here: ["or drop it here", "或拖放到这里"],
  sending: ["Sending {name}: {percent} %", "正在上传 {name}：{percent}%"],
  reading: ["Reading {name} …", "正在读取 {name}……"],
  too_large: ["{name} has {size}; at most {limit} can be sent.", "{name} 的大小为 {size}；最多可上传 {limit}。"],
});
