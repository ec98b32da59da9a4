import { useState, type FormEvent } from "react";

import * as calls from "../api/calls";
import type { Delivery } from "../api/types";
import { useTexts } from "../text";
import { personName } from "../text/names";
import { Dialog } from "../ui/dialog";
import { Fault } from "../ui/fault";
import { numberText } from "./levels";
import type { Review } from "./use_review";

/** Shows whose study it is, asks to confirm, signs. Keys: Space confirms, Enter signs. */
export function SignDialog({ review, close }: { review: Review; close: () => void }) {
  const { t } = useTexts();
  const { study, reading } = review;
  const [fault, setFault] = useState<unknown>(null);
  const [signed, setSigned] = useState<Delivery | null>(null);
  const [busy, setBusy] = useState(false);

  const sign = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const made = await review.sign();
      setSigned(made);
      review.reload();
      if (!made.done) setSigned(await written(review.base));
      review.reload();
    } catch (error) {
      setFault(error);
      setBusy(false);
    }
  };

  const facts: [string, string][] = [
    [t("list.patient"), personName(study.patient_name)],
    [t("list.id"), study.patient_id],
    [t("list.birth"), study.birth_date],
    [t("list.date"), study.date],
    [t("list.kind"), t(`kind.${study.kind}`)],
    [t("list.scores"), totals(review)],
  ];
  return (
    <Dialog title={t("sign.title")} close={close}>
      <form onSubmit={(event) => void sign(event)}>
        <dl className="facts">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value || t("sign.unstated")}</dd>
            </div>
          ))}
        </dl>
        {signed ? (
          <p role="status" data-signed={signed.done}>
            {signed.done ? t("sign.done", { files: signed.files.join(", ") }) : t("sign.writing")}
            {signed.problem && <strong> {signed.problem}</strong>}
            {signed.sent.map((one, n) => (
              <span key={n}> {one.ok ? t("sign.sent", { count: one.instances.length }) : one.problem}</span>
            ))}
          </p>
        ) : (
          <label className="check">
            <input type="checkbox" required data-first /> {t("sign.check")}
          </label>
        )}
        {fault !== null && <Fault error={fault} />}
        <footer>
          {signed ? (
            <button key="close" type="button" className="main" onClick={close} autoFocus>
              {t("close")}
            </button>
          ) : (
            <button className="main" disabled={busy || review.isPending}>
              {t(review.isPending ? "edit.pending" : "sign.now")}
            </button>
          )}
        </footer>
      </form>
      <p className="research">{t("research")}</p>
    </Dialog>
  );

  function totals(one: Review): string {
    if (one.study.kind === "ct") return t("list.lesions", { count: reading.findings.length });
    return reading.measures
      .filter((measure) => measure.name === "siopen_total" || measure.name === "curie_total")
      .map((measure) => `${t(measure.name === "siopen_total" ? "score.siopen" : "score.curie")} ${numberText(measure.value)}`)
      .join(", ");
  }
}

const PAUSE_MS = 700;

/** Waits until the signed files are written. */
async function written(base: string): Promise<Delivery> {
  for (;;) {
    const now = await calls.delivery(base);
    if (now.done) return now;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
