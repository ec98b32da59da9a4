import { useState } from "react";

import * as calls from "../api/calls";
import type { Me, NextCase, Trial } from "../api/types";
import { go } from "../router";
import { useTexts } from "../text";
import { Fault } from "../ui/fault";
import { useFetched } from "../ui/use_fetched";
import { NewTrial } from "./new_trial";

/** Reader studies: how far each reader is, the next case; an administrator plans and exports them. */
export function Trials({ me }: { me: Me }) {
  const { t } = useTexts();
  const { value, error, again } = useFetched(calls.trials, "trials");
  return (
    <main className="plain">
      <h1>{t("nav.trials")}</h1>
      {error !== null && <Fault error={error} again={again} />}
      {value?.length === 0 && <p className="empty">{t("trials.none")}</p>}
      {value?.map((trial) => (
        <TrialCard key={trial.id} me={me} trial={trial} />
      ))}
      {me.role === "admin" && <NewTrial made={again} />}
    </main>
  );
}

function TrialCard({ me, trial }: { me: Me; trial: Trial }) {
  const { t } = useTexts();
  const [next, setNext] = useState<NextCase | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const start = async () => {
    try {
      const found = await calls.nextCase(trial.id);
      if (found.case) go("trials", trial.id, found.case);
      else setNext(found);
    } catch (error) {
      setFault(error);
    }
  };
  const isReader = trial.readers.some((reader) => reader.name === me.name);
  return (
    <section className="card" aria-label={trial.name}>
      <h2>{trial.name}</h2>
      <p>{trial.phases.map((phase) => t(`phase.${phase}`)).join(", ")}</p>
      <ul>
        {trial.readers.map((reader) => (
          <li key={reader.name}>
            {reader.name}: {t("trials.progress", { done: reader.done, of: reader.of })}
          </li>
        ))}
      </ul>
      {next && (
        <p role="status">{next.wait_until ? t("trials.wait", { date: next.wait_until.slice(0, 10) }) : t("trials.end")}</p>
      )}
      {fault !== null && <Fault error={fault} />}
      {isReader && (
        <button className="main" onClick={() => void start()}>
          {t("trials.next")}
        </button>
      )}{" "}
      {me.role === "admin" && (
        <a className="button" href={calls.exportUrl(trial.id)} download>
          {t("trials.export")}
        </a>
      )}
    </section>
  );
}
