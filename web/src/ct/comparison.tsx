import { useState } from "react";

import { beginCtComparison, ctComparison, ctReportUrl } from "../api/calls";
import { numberText } from "../reading/levels";
import { PriorChoice } from "../reading/prior_choice";
import { PriorName } from "../reading/prior_name";
import type { Review } from "../reading/use_review";
import { useTexts } from "../text";
import { Heads } from "../ui/heads";
import { useWork } from "../ui/use_work";
import { WorkState } from "../ui/work_state";
import { counted, placeOf, type CtChange, type Followed } from "./change";
import type { Millimetres } from "./look";

type Jump = (place: Millimetres, finding: string | null) => void;

/** What became of each lesion since an earlier CT of the patient. */
export function CtComparisonTab({ review, jump }: { review: Review; jump: Jump }) {
  const { t } = useTexts();
  const { priors } = review.study;
  const [prior, setPrior] = useState(priors[0]?.id ?? "");
  const change = useWork(
    () => ctComparison(review.base, prior),
    () => beginCtComparison(review.base, prior),
    prior === "" ? null : `${prior} ${review.stamp}`,
  );
  if (priors.length === 0) return <p className="empty">{t("prior.none")}</p>;
  const response = change.work?.response;
  return (
    <div className="comparison">
      <PriorChoice priors={priors} prior={prior} choose={setPrior} />
      <PriorName study={review.study} prior={prior} />
      <WorkState of={change} begin="change.begin" running="change.running" />
      {response && (
        <Changes change={response as unknown as CtChange} report={ctReportUrl(review.base, prior)} jump={jump} />
      )}
    </div>
  );
}

function Changes({ change, report, jump }: { change: CtChange; report: string; jump: Jump }) {
  const { t } = useTexts();
  const numbers = counted(change).map(([call, number]) => `${number} ${t(`call.${call}`)}`);
  return (
    <>
      <p data-calls>{numbers.join(", ") || t("ct.none")}</p>
      {change.lesions.length > 0 && (
        <table className="difference">
          <Heads of={["change.lesion", "change.call", "change.before", "change.now"]} />
          <tbody>
            {change.lesions.map((lesion) => (
              <Row key={lesion.id} lesion={lesion} place={placeOf(lesion, change)} jump={jump} />
            ))}
          </tbody>
        </table>
      )}
      <a href={report} target="_blank" rel="noreferrer">
        {t("change.report")}
      </a>
      <small>{change.notes.join(". ")}</small>
    </>
  );
}

function Row({ lesion, place, jump }: { lesion: Followed; place: Millimetres | null; jump: Jump }) {
  const { t, site } = useTexts();
  const others = lesion.possible.filter((call) => call !== lesion.call);
  return (
    <tr data-call={lesion.call}>
      <th scope="row">
        {place ? (
          <button className="quiet" onClick={() => jump(place, lesion.now?.findings[0] ?? null)}>
            {lesion.id} {site(lesion.site)}
          </button>
        ) : (
          `${lesion.id} ${site(lesion.site)}`
        )}
      </th>
      <td>
        <b className={`call ${lesion.call}`}>{t(`call.${lesion.call}`)}</b>
        {others.length > 0 && (
          <small> {t("change.or", { calls: others.map((call) => t(`call.${call}`)).join(", ") })}</small>
        )}
        {lesion.notes.map((note) => (
          <small key={note}> {note}</small>
        ))}
      </td>
      <td className="number">{lesion.before ? numberText(lesion.before.volume_ml) : "–"}</td>
      <td className="number">{lesion.now ? numberText(lesion.now.volume_ml) : "–"}</td>
    </tr>
  );
}
