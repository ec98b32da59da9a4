import { useTexts } from "../text";
import { personName } from "../text/names";
import type { Review } from "./use_review";

/** A warning where a prior states another name than the study: ids are given twice, and names are married. */
export function PriorName({ study, prior }: { study: Review["study"]; prior: string | null }) {
  const { t } = useTexts();
  const name = study.priors.find((one) => one.id === prior)?.patient_name;
  if (name === undefined || isSameName(name, study.patient_name)) return null;
  return (
    <p className="fault" role="alert">
      {t("prior.otherName", { name: personName(name) || t("sign.unstated") })}
    </p>
  );
}

const isSameName = (one: string, other: string): boolean =>
  personName(one).trim().toLowerCase() === personName(other).trim().toLowerCase();
