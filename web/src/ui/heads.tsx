import { useTexts } from "../text";
import type { Key } from "../text/en";

/** The heads of a table's columns. */
export function Heads({ of }: { of: readonly Key[] }) {
  const { t } = useTexts();
  return (
    <thead>
      <tr>
        {of.map((key) => (
          <th key={key} scope="col">
            {t(key)}
          </th>
        ))}
      </tr>
    </thead>
  );
}
