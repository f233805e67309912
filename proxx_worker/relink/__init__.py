"""Files that make an editing system relink without clicking: FCPXML, OTIO, ALE and ASC MHL, after the job and on request."""
