import * as calls from "../api/calls";
import { PriorChoice } from "../reading/prior_choice";
import type { Review } from "../reading/use_review";
import { numberText } from "../reading/levels";
import { useTexts } from "../text";
import { Fault } from "../ui/fault";
import { useFetched } from "../ui/use_fetched";

/** What the page reads of response.json (`osteoscope compare`). */
interface Comparison {
  new?: string[];
  resolved?: string[];
  scores?: { score: "siopen" | "curie"; relative: Relative; verdict: Verdict; flags: string[] }[];
}

interface Relative {
  value: number | null;
  low: number | null;
  high: number | null;
  note: string;
}

interface Verdict {
  category: string | null;
  possible: string[];
}

/** Which prior, its relative scores and the INRC bone component. */
export function ComparisonTab({
  review,
  prior,
  choose,
}: {
  review: Review;
  prior: string | null;
  choose: (prior: string | null) => void;
}) {
  const { t } = useTexts();
  const { priors } = review.study;
  const key = prior === null ? null : `${prior} ${review.stamp}`;
  const { value, error, again } = useFetched(() => calls.comparison(review.base, prior ?? ""), key);
  if (priors.length === 0) return <p className="empty">{t("prior.none")}</p>;
  return (
    <div className="comparison">
      <PriorChoice priors={priors} prior={prior ?? ""} choose={(chosen) => choose(chosen || null)} optional />
      {error !== null && <Fault error={error} again={again} />}
      {prior !== null && value && <Told comparison={comparisonOf(value)} notes={value["notes"]} />}
    </div>
  );
}

function comparisonOf(response: Record<string, unknown>): Comparison {
  const all = response["comparisons"];
  return (Array.isArray(all) ? (all.at(-1) as Comparison) : undefined) ?? {};
}

function Told({ comparison, notes }: { comparison: Comparison; notes: unknown }) {
  const { t } = useTexts();
  return (
    <>
      <ul>
        {(comparison.scores ?? []).map((one) => (
          <li key={one.score}>
            {t("prior.relative", { score: t(`score.${one.score}`), value: relativeText(one.relative) })}
            <br />
            {t("prior.verdict", { score: t(`score.${one.score}`), verdict: verdictText(one.verdict) })}
            {one.flags.map((flag) => (
              <small key={flag}> {flag}</small>
            ))}
          </li>
        ))}
        <li>{t("prior.new", { count: comparison.new?.length ?? 0 })}</li>
        <li>{t("prior.resolved", { count: comparison.resolved?.length ?? 0 })}</li>
      </ul>
      {Array.isArray(notes) && notes.length > 0 && <small>{notes.join(" ")}</small>}
    </>
  );
}

const relativeText = ({ value, low, high, note }: Relative): string => {
  if (value === null) return note || "–";
  return `${numberText(value)} (${low === null ? "0" : numberText(low)}–${high === null ? "∞" : numberText(high)})`;
};

/** The category; where missing segments could change it, every one that may hold. */
const verdictText = ({ category, possible }: Verdict): string => category ?? `? (${possible.join(", ")})`;
