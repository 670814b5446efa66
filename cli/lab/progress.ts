import ora from "ora";
import { type Progress } from "../../lab/fleet/progress";

/** Milliseconds between two lines of detail where lines stay. */
const DETAIL_PAUSE = 3000;

export interface VisibleProgress extends Progress {
  /** Takes the spinner away; what is printed next has the line to itself. */
  stop(): void;
}

/** Progress on standard error: a spinner with the current line on a terminal, plain lines elsewhere. */
export function progress(): VisibleProgress {
  const started = performance.now();
  const stamp = (): string => `${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s`;
  if (process.stderr.isTTY) {
    const spinner = ora({ stream: process.stderr }).start();
    return {
      step: (text) => void spinner.stopAndPersist({ symbol: stamp(), text }).start(""),
      detail: (text) => void (spinner.text = text.slice(0, (process.stderr.columns ?? 80) - 4)),
      stop: () => void spinner.stop(),
    };
  }
  let last = -Infinity;
  const print = (text: string): void => void process.stderr.write(`${stamp()} ${text}\n`);
  return {
    step: print,
    detail: (text) => {
      if (performance.now() - last < DETAIL_PAUSE) return;
      last = performance.now();
      print(text);
    },
    stop: () => undefined,
  };
}
