import * as calls from "../api/calls";
import { useTexts } from "../text";
import { Fault } from "../ui/fault";
import { useFetched } from "../ui/use_fetched";
import type { Review } from "./use_review";

/** What the person's reading says otherwise than the program's. */
export function DifferenceTab({ review }: { review: Review }) {
  const { t, site } = useTexts();
  const key = `${review.base} ${review.draft.number_of_edits} ${review.draft.can_redo} ${review.study.state}`;
  const { value, error, again } = useFetched(() => calls.difference(review.base), key);
  if (error !== null) return <Fault error={error} again={again} />;
  if (!value) return null;
  if (value.length === 0) return <p className="empty">{t("difference.none")}</p>;
  return (
    <table className="difference">
      <thead>
        <tr>
          <th scope="col">{t("level.segment")}</th>
          <th scope="col">{t("difference.measure")}</th>
          <th scope="col">{t("difference.program")}</th>
          <th scope="col">{t("difference.person")}</th>
        </tr>
      </thead>
      <tbody>
        {value.map((one, n) => (
          <tr key={n}>
            <th scope="row">{site(one.site)}</th>
            <td>{one.measure}</td>
            <td className="number">{one.program ?? t("difference.absent")}</td>
            <td className="number">{one.person ?? t("difference.absent")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
