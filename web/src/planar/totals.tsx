import { intervalText, MOST, numberText, signed, totalOf, type Score } from "../reading/levels";
import type { Reading } from "../reading/types";
import { useTexts } from "../text";

/** Both scores, with the range that they could have, and their change since the prior. */
export function Totals({ reading, prior }: { reading: Reading; prior: Reading | null }) {
  return (
    <div className="totals" role="status">
      <Total reading={reading} prior={prior} score="siopen" />
      <Total reading={reading} prior={prior} score="curie" />
    </div>
  );
}

function Total({ reading, prior, score }: { reading: Reading; prior: Reading | null; score: Score }) {
  const { t } = useTexts();
  const total = totalOf(reading, score);
  const before = prior && totalOf(prior, score);
  const isSure = !total?.interval || total.interval[0] === total.interval[1];
  return (
    <div data-total={score}>
      <span>{t(`score.${score}`)}</span> <strong>{total ? numberText(total.value) : "–"}</strong>{" "}
      <small>
        {total && !isSure && `(${intervalText(total.interval)}) `}
        {t("score.of", { most: MOST[score] })}
        {total && before && ` ${signed(total.value - before.value)}`}
      </small>
    </div>
  );
}
