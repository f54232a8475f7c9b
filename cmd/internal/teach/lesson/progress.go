package lesson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"uswitch/cmd/internal/teach/state"
)

// Progress is how far a person has come, by the name of the lesson.
type Progress map[string]Reached

// Reached is how far somebody has come in one lesson.
type Reached struct {
	Steps int  `json:"steps"` // that were done, at most
	Of    int  `json:"of"`
	Done  bool `json:"done"` // to the end, once
}

// progressFile is in the state directory.
const progressFile = "learn.json"

// LoadProgress reads the progress that is kept in a directory; none is none.
func LoadProgress(dir string) (Progress, error) {
	p := Progress{}
	text, err := os.ReadFile(filepath.Join(dir, progressFile))
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return Progress{}, fmt.Errorf("your progress cannot be read, and is left as it is: %w", err)
	}
	return p, nil
}

// Save keeps the progress. Whoever reads the file meanwhile finds the old one or the new one, whole.
func (p Progress) Save(dir string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return state.Write(dir, progressFile, append(text, '\n'))
}
