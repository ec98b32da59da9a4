import { useState } from "react";

import * as calls from "../api/calls";
import type { BoneChoice, StrengthResult } from "../api/types";
import type { Measure } from "../reading/types";
import type { Review } from "../reading/use_review";
import { useTexts } from "../text";
import type { Key } from "../text/en";
import { Fault } from "../ui/fault";
import { Heads } from "../ui/heads";
import { Select } from "../ui/select";
import { useFetched } from "../ui/use_fetched";
import { useWork } from "../ui/use_work";
import { WorkState } from "../ui/work_state";
import { quantityText, type BoneStrength, type StrengthRecord } from "./strength_record";
import type { Millimetres } from "./look";

type Jump = (place: Millimetres, finding: string | null) => void;
type Loaded = calls.LoadedBone;

/** What load a bone still carries, with and without its lesions as they stand now. */
export function StrengthTab({ review, jump }: { review: Review; jump: Jump }) {
  const { t } = useTexts();
  const { value: bones, error, again } = useFetched(() => calls.strengthBones(review.base), review.stamp);
  const [wanted, setWanted] = useState<Loaded | null>(null);
  const first = bones?.[0];
  const bone = wanted ?? (first ? { site: first.site, load_case: first.load_cases[0] ?? "" } : null);
  const test = useWork(
    () => calls.strength(review.base, bone as Loaded),
    () => calls.beginStrength(review.base, bone as Loaded),
    bone && `${bone.site} ${bone.load_case} ${review.stamp}`,
  );
  if (error !== null) return <Fault error={error} again={again} />;
  if (bones?.length === 0) return <p className="empty">{t("strength.none")}</p>;
  return (
    <div className="comparison strength">
      {bones && bone && <Choice bones={bones} bone={bone} choose={setWanted} />}
      <WorkState of={test} begin="strength.begin" running="strength.running" />
      {bone && test.work?.record && <Result review={review} bone={bone} work={test.work} jump={jump} />}
    </div>
  );
}

function Choice({ bones, bone, choose }: { bones: BoneChoice[]; bone: Loaded; choose: (bone: Loaded) => void }) {
  const { t, site } = useTexts();
  const all = bones.flatMap((one) => one.load_cases.map((load_case) => ({ ...one, load_case })));
  return (
    <label>
      {t("strength.bone")}{" "}
      <Select
        id="strength-bone"
        value={all.findIndex((one) => one.site === bone.site && one.load_case === bone.load_case)}
        choose={(number) => {
          const one = all[Number(number)];
          if (one) choose({ site: one.site, load_case: one.load_case });
        }}
      >
        {all.map((one, n) => (
          <option key={`${one.site} ${one.load_case}`} value={n}>
            {site(one.site)}, {t(`load.${one.load_case}` as Key)} ({t("strength.lesions", { count: one.lesions })})
          </option>
        ))}
      </Select>
    </label>
  );
}

function Result({ review, bone, work, jump }: { review: Review; bone: Loaded; work: StrengthResult; jump: Jump }) {
  const { t, site } = useTexts();
  const record = work.record as unknown as StrengthRecord;
  const file = (name: string) => calls.strengthFileUrl(review.base, bone, name);
  return (
    <>
      {record.bones.map((one) => (
        <section key={one.site} data-strength={one.site}>
          <h3>{site(one.site)}</h3>
          <Figures of={one} jump={jump} />
        </section>
      ))}
      {work.figures.map((name) => (
        <a key={name} href={file(name)} target="_blank" rel="noreferrer">
          <img src={file(name)} alt={pictureText(name, t)} />
        </a>
      ))}
      <a href={file("strength.pdf")} target="_blank" rel="noreferrer">
        {t("strength.report")}
      </a>
      <small>{t("strength.limits")}</small>
    </>
  );
}

function Figures({ of, jump }: { of: BoneStrength; jump: Jump }) {
  const { t } = useTexts();
  const said = [
    ...of.measures.map((measure): [string, Measure] => ["", measure]),
    ...of.lesions.flatMap(({ lesion, measures }) => measures.map((measure): [string, Measure] => [lesion, measure])),
  ];
  const { failure } = of;
  return (
    <>
      <table className="difference">
        <Heads of={["strength.what", "strength.value"]} />
        <tbody>
          {said.map(([lesion, measure]) => (
            <tr key={`${lesion} ${measure.name}`} title={measure.method}>
              <th scope="row">
                {lesion && `${lesion}: `}
                {t(`strength.${measure.name}` as Key)}
              </th>
              <td className="number">{quantityText(measure)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {failure && (
        <button className="quiet" onClick={() => jump(failure.centre, failure.at_lesion > 0.5 ? failure.nearest : null)}>
          {t(failure.at_lesion > 0.5 ? "strength.failsAt" : "strength.failsAway", { lesion: failure.nearest })}
        </button>
      )}
      {of.dominant && <small>{t("strength.dominant", { term: t(`term.${of.dominant.replace(" ", "_")}` as Key) })}</small>}
      <small>
        {of.case}; {of.law}
        {!of.law_verified && ` (${t("strength.notVerified")})`}; {of.calibration.method}
      </small>
      {[...of.gaps.map((gap) => gap.reason), ...of.notes].map((line) => (
        <small key={line}>{line}</small>
      ))}
    </>
  );
}

/** "figures/vertebra_L3_sections.png": what it shows. */
const pictureText = (name: string, t: (key: Key) => string): string =>
  t(`picture.${name.replace(/.*_(\w+)\.png$/, "$1")}` as Key);
