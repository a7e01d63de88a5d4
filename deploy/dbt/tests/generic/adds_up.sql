{# Days whose campaigns are not the account, beyond rounding: a page was lost or came twice, or a campaign is missing. #}
{% test adds_up(model) %}
select * from {{ model }} where adds_up = false
{% endtest %}
