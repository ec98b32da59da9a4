import { useTexts } from "../text";
import type { Key } from "../text/en";
import { Fault } from "./fault";
import type { Followed, Work } from "./use_work";

/** How far a piece of work is: the button that begins it, its progress, or why it failed. */
export function WorkState({ of, begin, running }: { of: Followed<Work>; begin: Key; running: Key }) {
  const { t } = useTexts();
  const { work, error } = of;
  return (
    <>
      {error !== null && <Fault error={error} again={of.begin} />}
      {work?.state === "failed" && <Fault error={new Error(work.problem)} again={of.begin} />}
      {work?.state === "absent" && (
        <button className="main" onClick={of.begin}>
          {t(begin)}
        </button>
      )}
      {(work?.state === "queued" || work?.state === "running") && (
        <label role="status">
          {t(work.state === "queued" ? "work.queued" : running)} <progress max={1} value={work.progress} />
        </label>
      )}
    </>
  );
}
