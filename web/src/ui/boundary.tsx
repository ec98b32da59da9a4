import { Component, type ReactNode } from "react";

import { useTexts } from "../text";

/** In the place of a page that fails, such as one whose code cannot be fetched: says so, and lets it be loaded again. */
export class Boundary extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    return this.state.isBroken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { t } = useTexts();
  return (
    <main className="plain">
      <div className="fault" role="alert">
        <span>{t("error.page")}</span>
        <button onClick={() => window.location.reload()}>{t("error.reload")}</button>
      </div>
    </main>
  );
}
