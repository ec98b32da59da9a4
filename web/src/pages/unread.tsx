import { useEffect } from "react";

import type { Study } from "../api/types";
import { ReadAgain } from "../reading/read_again";
import { href } from "../router";
import { useTexts } from "../text";
import { personName } from "../text/names";
import { Fault } from "../ui/fault";

const PAUSE_MS = 1500;

/** A study that is loading, not yet read, or that could not be read. */
export function Unread({ study, error, reload }: { study: Study | null; error: unknown; reload: () => void }) {
  const { t } = useTexts();
  const isWaiting = study !== null && study.state !== "failed" && error === null;
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(reload, PAUSE_MS);
    return () => clearInterval(timer);
  }, [isWaiting, reload]);
  const name = study ? personName(study.patient_name) || study.patient_id : t(error === null ? "loading" : "study.unknown");
  return (
    <main className="unread">
      <h1>{name}</h1>
      {error !== null && <Fault error={error} again={reload} />}
      {study && (
        <>
          <p role="status">
            {study.state === "failed" ? t("study.failed") : `${t("study.wait")} ${t(`state.${study.state}`)}`}
          </p>
          {study.state === "failed" && <ReadAgain id={study.id} tracer="" done={reload} />}
          {study.problem && <p>{study.problem}</p>}
          {study.state === "reading" && <progress value={study.progress} aria-label={t("state.reading")} />}
        </>
      )}
      <p>
        <a href={href()}>{t("study.back")}</a>
      </p>
    </main>
  );
}
