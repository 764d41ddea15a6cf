// A list of texts, one on each line.

import { Textarea } from '@mantine/core';
import { useState } from 'react';

interface LinesProps {
  label: string;
  description: string;
  value: string[];
  onChange: (lines: string[]) => void;
}

export function Lines({ label, description, value, onChange }: LinesProps) {
  // The text as typed: an empty last line must not vanish under the cursor.
  const [text, setText] = useState(value.join('\n'));
  return (
    <Textarea
      label={label}
      description={description}
      autosize
      minRows={2}
      maxRows={10}
      spellCheck={false}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        onChange(event.currentTarget.value.split('\n').map((line) => line.trim()).filter(Boolean));
      }}
    />
  );
}
