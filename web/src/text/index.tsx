import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";

import { en, type Key } from "./en";
import { fr } from "./fr";
import { siteName, type Language } from "./sites";

const TABLES: Record<Language, Record<Key, string>> = { en, fr };

/** The string of a key with its {places} filled. */
export function phrase(language: Language, key: Key, values: Record<string, string | number> = {}): string {
  return TABLES[language][key].replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

export interface Texts {
  language: Language;
  t: (key: Key, values?: Record<string, string | number>) => string;
  site: (id: string) => string;
  swap: () => void;
}

const Context = createContext<Texts | null>(null);
const STORED = "osteoscope-language";

function startLanguage(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "fr") return stored;
  return navigator.language.startsWith("fr") ? "fr" : "en";
}

export function TextProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(startLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem(STORED, language);
  }, [language]);
  const swap = useCallback(() => setLanguage((now) => (now === "en" ? "fr" : "en")), []);
  const texts = useMemo<Texts>(
    () => ({
      language,
      t: (key, values) => phrase(language, key, values),
      site: (id) => siteName(id, language),
      swap,
    }),
    [language, swap],
  );
  return <Context value={texts}>{children}</Context>;
}

export function useTexts(): Texts {
  const texts = useContext(Context);
  if (!texts) throw new Error("useTexts needs a TextProvider above it");
  return texts;
}
