// SPDX-License-Identifier: Apache-2.0

// Reads manifests as clients written in Go do. Each line of standard input is a media type, a space, and the document
// in base64; each line of standard output is "ok", or why the document cannot be read.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func decode(line string) error {
	mediaType, text, found := strings.Cut(line, " ")
	if !found {
		return fmt.Errorf("not a media type and a document")
	}
	document, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	if strings.Contains(mediaType, "index") || strings.Contains(mediaType, "list") {
		return json.Unmarshal(document, &v1.Index{})
	}
	return json.Unmarshal(document, &v1.Manifest{})
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if err := decode(lines.Text()); err != nil {
			fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("ok")
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
