"""Files that people send."""

from django import forms

from revampd.kit.sheets import MAX_BYTES


class UploadForm(forms.Form):
    """A CSV file."""

    file = forms.FileField(
        label="CSV file",
        help_text="UTF-8, at most 10,000 rows and 2 MB.",
        widget=forms.FileInput({"accept": ".csv,text/csv"}),
        error_messages={
            "required": "Choose a file.",
            "empty": "The file is empty.",
        },
    )

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError("The file is larger than 2 MB.")
        content: bytes = file.read()
        return content
