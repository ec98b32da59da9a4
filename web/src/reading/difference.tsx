import * as calls from "../api/calls";
import { useTexts } from "../text";
import { Fault } from "../ui/fault";
import { Heads } from "../ui/heads";
import { useFetched } from "../ui/use_fetched";
import { numberText } from "./levels";
import type { Review } from "./use_review";

const MEASURES = [
  "siopen",
  "curie",
  "siopen_total",
  "curie_total",
  "lesion_count",
  "lesion_volume",
  "finding",
  "site",
  "type",
  "mask",
] as const;
type MeasureName = (typeof MEASURES)[number];

const isMeasure = (name: string): name is MeasureName => (MEASURES as readonly string[]).includes(name);
const said = (value: string | number | null): string | null => (typeof value === "number" ? numberText(value) : value);

/** What the person's reading says otherwise than the program's. */
export function DifferenceTab({ review }: { review: Review }) {
  const { t, site } = useTexts();
  const { value, error, again } = useFetched(() => calls.difference(review.base), review.stamp);
  if (error !== null) return <Fault error={error} again={again} />;
  if (!value) return null;
  if (value.length === 0) return <p className="empty">{t("difference.none")}</p>;
  return (
    <table className="difference">
      <Heads of={["level.segment", "difference.measure", "difference.program", "difference.person"]} />
      <tbody>
        {value.map((one, n) => (
          <tr key={n}>
            <th scope="row">
              {one.site === "study" ? t("difference.study") : site(one.site)} {one.finding}
            </th>
            <td>{isMeasure(one.measure) ? t(`measure.${one.measure}`) : one.measure}</td>
            <td className="number">{said(one.program) ?? t("difference.absent")}</td>
            <td className="number">{said(one.person) ?? t("difference.absent")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
