"""The document of `validate --json`, as bytes."""

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import ErrorRecord
from proxx_worker.contract.validation import FileValidation, SourceValidation, ValidationDocument, Validity, encode_validation

WRITTEN = """{
  "validation_version": "1.0",
  "files": [
    {
      "file": "a\\u001b.json",
      "status": "refused",
      "error": {
        "code": "SOURCE_MISSING",
        "message": "gone",
        "details": {}
      },
      "reason": null,
      "sources": [
        {
          "index": 0,
          "source": "/x.mov",
          "source_path": null,
          "error": {
            "code": "SOURCE_MISSING",
            "message": "gone",
            "details": {}
          }
        }
      ]
    }
  ]
}
"""


def test_a_document_is_indented_and_steers_no_terminal() -> None:
    error = ErrorRecord(code=ErrorCode.SOURCE_MISSING, message="gone")
    source = SourceValidation(index=0, source="/x.mov", source_path=None, error=error)
    file = FileValidation(file="a\x1b.json", status=Validity.REFUSED, error=error, reason=None, sources=[source])
    assert encode_validation(ValidationDocument(files=[file])).decode() == WRITTEN
