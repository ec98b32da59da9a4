import { lazy, Suspense, useCallback, useEffect, useRef, useState, type FormEvent } from "react";

import * as calls from "../api/calls";
import type { Me, Study } from "../api/types";
import { PlanarReview } from "../planar/planar_review";
import type { Held } from "../reading/changes";
import { useReview, type Review } from "../reading/use_review";
import { go } from "../router";
import { useTexts } from "../text";
import { Dialog } from "../ui/dialog";
import { Fault } from "../ui/fault";
import { Unread } from "./unread";

const CtReview = lazy(() => import("../ct/ct_review").then((page) => ({ default: page.CtReview })));

/** A case of a reader study, without name or date; its time runs while it is open. */
export function TrialCase({ me, trial, id }: { me: Me; trial: string; id: string }) {
  const { t } = useTexts();
  const base = calls.caseBase(trial, id);
  const [phase, setPhase] = useState<"alone" | "aided" | null>(null);
  const load = useCallback(async (at: string): Promise<Held> => {
    const opened = await calls.openCase(at);
    setPhase(opened.phase);
    return { study: blinded(opened), reading: await calls.reading(at), draft: opened.draft };
  }, []);
  const loaded = useReview(base, me.name, load);
  if (!loaded.review) return <Unread {...loaded} />;
  const { review } = loaded;
  return (
    <>
      <div className="trial-bar">
        {phase && <span>{t(`phase.${phase}`)}</span>}
        <Finish review={review} trial={trial} />
      </div>
      {review.study.kind === "nm-planar" ? (
        <PlanarReview me={me} review={review} isTrial />
      ) : (
        <Suspense fallback={<p className="loading">{t("loading")}</p>}>
          <CtReview me={me} review={review} isTrial />
        </Suspense>
      )}
    </>
  );
}

/** Counts the seconds while the page is in sight, and hands them in with the finished case. */
function Finish({ review, trial }: { review: Review; trial: string }) {
  const { t } = useTexts();
  const { base } = review;
  const kept = `seconds ${base}`;
  // A page that is loaded again goes on counting.
  const looked = useRef(Number(sessionStorage.getItem(kept) ?? 0));
  const [seconds, setSeconds] = useState(Math.floor(looked.current));
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      if (document.visibilityState === "visible") looked.current += (now - last) / 1000;
      last = now;
      sessionStorage.setItem(kept, String(looked.current));
      setSeconds(Math.floor(looked.current));
    }, 250);
    return () => clearInterval(timer);
  }, [kept]);
  const finish = async () => {
    await review.settled();
    const next = await calls.finishCase(base, looked.current);
    sessionStorage.removeItem(kept);
    if (next.case) go("trials", trial, next.case);
    else go("trials");
  };
  return (
    <>
      <span role="timer" aria-label={t("trials.timer")}>
        {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, "0")}
      </span>
      <button className="main" onClick={() => setAsking(true)}>
        {t("trials.finish")}
      </button>
      {isAsking && <FinishDialog finish={finish} close={() => setAsking(false)} />}
    </>
  );
}

/** Asks once, since a finished case is final. */
function FinishDialog({ finish, close }: { finish: () => Promise<void>; close: () => void }) {
  const { t } = useTexts();
  const [fault, setFault] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const confirm = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await finish();
    } catch (error) {
      setFault(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("trials.finish")} close={close}>
      <form onSubmit={(event) => void confirm(event)}>
        <p>{t("trials.final")}</p>
        {fault !== null && <Fault error={fault} />}
        <footer>
          <button type="button" onClick={close}>
            {t("trials.goOn")}
          </button>
          <button className="main" disabled={busy} data-first>
            {t("trials.finish")}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** A case as a study: its pseudonym in place of the patient, no priors, no files. */
function blinded({ study, kind, draft }: Awaited<ReturnType<typeof calls.openCase>>): Study {
  return {
    id: study,
    patient_id: "",
    patient_name: study,
    birth_date: "",
    sex: null,
    date: "",
    kind,
    state: "read",
    progress: 1,
    problem: "",
    scores: { siopen_total: null, curie_total: null, lesions: null },
    reader_version: "",
    draft,
    readings: [],
    priors: [],
    files: [],
    may_share: false,
  };
}
