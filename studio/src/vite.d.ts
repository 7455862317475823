declare module "virtual:report-colours.css";
