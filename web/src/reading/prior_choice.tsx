import { useTexts } from "../text";
import { Select } from "../ui/select";
import type { Review } from "./use_review";

type Priors = Review["study"]["priors"];

/** Which earlier study of the patient to compare with; "" for none, where that may be chosen. */
export function PriorChoice({
  priors,
  prior,
  choose,
  optional = false,
}: {
  priors: Priors;
  prior: string;
  choose: (prior: string) => void;
  optional?: boolean;
}) {
  const { t } = useTexts();
  return (
    <label>
      {t("prior.choose")}{" "}
      <Select id="prior-choice" value={prior} choose={choose}>
        {optional && <option value="">–</option>}
        {priors.map((one) => (
          <option key={one.id} value={one.id}>
            {one.date || one.id}
          </option>
        ))}
      </Select>
    </label>
  );
}
