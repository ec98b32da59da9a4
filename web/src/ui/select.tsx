import { useRef, type ComponentProps, type KeyboardEvent } from "react";

type Props = Omit<ComponentProps<"select">, "onChange" | "onKeyDown" | "onPointerDown"> & {
  choose: (value: string) => void;
};

const MOVES = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"]);
const isCharacter = ({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean =>
  key.length === 1 && key !== " " && !ctrlKey && !metaKey && !altKey;

/** A list box that gives the focus back once something is chosen: the next key is the page's, and chooses nothing else.
 * Who goes through the list by arrow keys stays in it until another key; Escape leaves it.
 */
export function Select({ choose, ...rest }: Props) {
  const key = useRef("");
  const isMoved = useRef(false);
  const press = (event: KeyboardEvent<HTMLSelectElement>) => {
    key.current = event.key;
    if (event.key === "Escape") event.currentTarget.blur();
    if (!isMoved.current || !isCharacter(event)) return;
    event.preventDefault();
    event.currentTarget.blur();
    const again = { key: event.key, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new window.KeyboardEvent("keydown", again));
  };
  return (
    <select
      {...rest}
      onPointerDown={() => (key.current = "")}
      onKeyDown={press}
      onBlur={() => {
        key.current = "";
        isMoved.current = false;
      }}
      onChange={(event) => {
        choose(event.target.value);
        isMoved.current = MOVES.has(key.current);
        if (!isMoved.current) event.currentTarget.blur();
      }}
    />
  );
}
