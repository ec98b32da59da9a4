import { useDeferredValue, useState } from "react";

import * as calls from "../api/calls";
import { useTexts } from "../text";
import type { Key } from "../text/en";
import { Fault } from "../ui/fault";
import { Heads } from "../ui/heads";
import { useFetched } from "../ui/use_fetched";

const HEADS: Key[] = ["audit.when", "audit.who", "audit.what", "audit.study", "audit.detail"];

/** Who saw, changed and signed what. */
export function Audit() {
  const { t } = useTexts();
  const [study, setStudy] = useState("");
  const asked = useDeferredValue(study.trim());
  const { last: value, error, again } = useFetched(() => calls.audit(asked), asked);
  return (
    <main className="worklist">
      <h1>{t("nav.audit")}</h1>
      <div className="filters" role="search">
        <input
          type="search"
          placeholder={t("audit.filter")}
          aria-label={t("audit.filter")}
          value={study}
          onChange={(event) => setStudy(event.target.value)}
        />
        <button onClick={again}>{t("error.again")}</button>
      </div>
      {error !== null && <Fault error={error} again={again} />}
      {value?.length === 0 && <p className="empty">{t("audit.none")}</p>}
      <div className="scroll" tabIndex={0} role="region" aria-label={t("nav.audit")}>
        <table>
          <Heads of={HEADS} />
          <tbody>
            {value?.map((line, n) => (
              <tr key={n}>
                <td className="number">{line.when.replace("T", " ").slice(0, 19)}</td>
                <td>{line.user}</td>
                <td>{line.action}</td>
                <td>{line.study}</td>
                <td>{Object.keys(line.detail ?? {}).length > 0 && <code>{JSON.stringify(line.detail)}</code>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </main>
  );
}
