// The code editor. Tab moves on, as everywhere: nobody is caught in it; the usual keys indent.

import { javascript } from '@codemirror/lang-javascript';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { useComputedColorScheme } from '@mantine/core';
import { tags } from '@lezer/highlight';
import { minimalSetup } from 'codemirror';
import { useEffect, useRef } from 'react';

const LIGHT = EditorView.theme({ '&': { color: '#212529' } });
const DARK = [
  EditorView.theme({ '&': { color: '#e9ecef' }, '.cm-cursor': { borderLeftColor: '#e9ecef' } }, { dark: true }),
  // The library's own colours are made for a light ground.
  syntaxHighlighting(
    HighlightStyle.define([
      { tag: tags.keyword, color: '#d0a8ff' },
      { tag: [tags.string, tags.regexp], color: '#8ce99a' },
      { tag: [tags.number, tags.bool, tags.null], color: '#ffc078' },
      { tag: tags.comment, color: '#a6a7ab' },
      { tag: [tags.definition(tags.variableName), tags.function(tags.variableName), tags.typeName], color: '#91c7ff' },
    ]),
  ),
];

export default function Editor({ label, value, onChange }: { label: string; value: string; onChange: (text: string) => void }) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef({ value, onChange });
  latest.current = { value, onChange };
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    if (!place.current) return undefined;
    const view = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          minimalSetup,
          javascript({ typescript: true }),
          scheme === 'dark' ? DARK : LIGHT,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': label }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    return () => view.destroy();
  }, [label, scheme]);
  return <div className="editor" ref={place} />;
}
