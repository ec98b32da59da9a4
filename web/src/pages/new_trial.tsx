import { useState, type FormEvent } from "react";

import * as calls from "../api/calls";
import { every } from "../api/every";
import type { StudyItem } from "../api/types";
import { useTexts } from "../text";
import { personName } from "../text/names";
import { Fault } from "../ui/fault";
import { lines } from "../ui/lines";

const WASHOUT_DAYS = 28;
const PAGE = 500;

/** A form for a new reader study; all studies that were read are offered first. */
export function NewTrial({ made }: { made: () => void }) {
  const { t } = useTexts();
  const [fault, setFault] = useState<unknown>(null);
  const [studies, setStudies] = useState("");
  const offer = async () => {
    const asked = { search: "", kind: "", state: "", order: "date", limit: PAGE };
    const items = await every((offset) => calls.studies({ ...asked, offset }));
    const isRead = ({ state }: StudyItem) => !["arrived", "reading", "failed"].includes(state);
    const line = (one: StudyItem) => `${one.id} ${personName(one.patient_name) || one.patient_id}, ${one.date}`;
    setStudies(items.filter(isRead).map(line).join("\n"));
  };
  const make = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "");
    try {
      await calls.makeTrial({
        name: text("name"),
        studies: lines(studies).map((line) => line.split(/\s/)[0] ?? line),
        readers: lines(text("readers")),
        phases: text("phases") === "both" ? ["alone", "aided"] : [text("phases") as "alone" | "aided"],
        washout_days: Number(text("washout")),
        seed: Number(text("seed")),
      });
      setFault(null);
      made();
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <details className="card">
      <summary>{t("trials.new")}</summary>
      <form onSubmit={(event) => void make(event)}>
        <label>
          {t("trials.name")}
          <input name="name" required />
        </label>
        <label>
          {t("trials.studies")}
          <textarea rows={5} required value={studies} onChange={(event) => setStudies(event.target.value)} />
        </label>
        <button type="button" onClick={() => void offer().catch(setFault)}>
          {t("trials.offer")}
        </button>
        <label>
          {t("trials.readers")}
          <textarea name="readers" rows={3} required />
        </label>
        <label>
          {t("trials.phases")}{" "}
          <select name="phases">
            {(["both", "alone", "aided"] as const).map((phase) => (
              <option key={phase} value={phase}>
                {t(`phase.${phase}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("trials.washout")}
          <input name="washout" type="number" min={0} defaultValue={WASHOUT_DAYS} required />
        </label>
        <label>
          {t("trials.seed")}
          <input name="seed" type="number" defaultValue={0} required />
        </label>
        {fault !== null && <Fault error={fault} />}
        <button className="main">{t("trials.make")}</button>
      </form>
    </details>
  );
}
