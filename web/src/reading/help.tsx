import { useTexts } from "../text";
import type { Key } from "../text/en";
import { Dialog } from "../ui/dialog";

export type HelpRow = readonly [keys: string, text: Key];

/** Every key of a page. */
export function Help({ rows, mouse, close }: { rows: readonly HelpRow[]; mouse?: Key; close: () => void }) {
  const { t } = useTexts();
  return (
    <Dialog title={t("help.title")} close={close}>
      <dl className="keys">
        {rows.map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
      {mouse && <p>{t(mouse)}</p>}
    </Dialog>
  );
}
